import { Validate, ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';
import { isObject } from '../../runtime/json-value.js';

const MAX_PAIRS = 16;
const MAX_NAME_CHARACTERS = 64;
const MAX_TEXT_CHARACTERS = 512;

@ValidatorConstraint({ name: 'isMetadata' })
class MetadataConstraint implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    if (!isObject(value)) return false;
    const pairs = Object.entries(value);
    return (
      pairs.length <= MAX_PAIRS &&
      pairs.every(
        ([name, text]) =>
          name.length <= MAX_NAME_CHARACTERS && typeof text === 'string' && text.length <= MAX_TEXT_CHARACTERS,
      )
    );
  }

  defaultMessage(): string {
    return `$property must be an object of at most ${MAX_PAIRS} texts: names of at most ${MAX_NAME_CHARACTERS} characters, texts of at most ${MAX_TEXT_CHARACTERS}.`;
  }
}

/** Metadata as OpenAI's API takes it. */
export const IsMetadata = (): PropertyDecorator => Validate(MetadataConstraint);
