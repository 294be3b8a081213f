import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Matches } from 'class-validator';

/**
 * One character that people can see. White space, control characters and characters without width are listed, so that every
 * regular expression engine that reads the OpenAPI document decides alike.
 */
const VISIBLE = /[^\s\u0000-\u0020\u007f-\u00a0\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u3164\ufeff]/;

/** For names that people read: text of white space alone is refused. The text itself is kept as it was sent. */
export const IsNotBlank = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ pattern: VISIBLE.source, minLength: 1 }),
    Matches(VISIBLE, { message: '$property must hold a character that is not white space' }),
  );
