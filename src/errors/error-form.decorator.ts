import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { REQUEST_ID_HEADER } from './api-errors.decorator.js';

/** The meaning of a status, and the word for it in an error format. */
export type ErrorMeanings = Readonly<Record<number, readonly [description: string, word: string]>>;

/**
 * Documents errors in another form than OpenAI's, in place of those of the decorators below it.
 *
 * @param model of the body
 * @param example a body by its status, description and word
 */
export function ApiErrorForm(
  model: Type,
  meanings: ErrorMeanings,
  example: (status: number, description: string, word: string) => object,
): MethodDecorator {
  const responses = Object.entries(meanings).map(([code, [description, word]]) =>
    ApiResponse({
      status: Number(code),
      description,
      headers: REQUEST_ID_HEADER,
      content: {
        'application/json': {
          schema: { $ref: getSchemaPath(model) },
          example: example(Number(code), description, word),
        },
      },
    }),
  );
  return applyDecorators(ApiExtraModels(model), ...responses);
}
