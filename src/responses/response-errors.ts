import { invalidRequest, notFound } from '../errors/gateway-error.js';
import { MAX_ID_CHARACTERS } from './stored-response.entity.js';

/** 400 for a previous response that is not finished. */
export function unfinishedPrevious(responseId: string): Error {
  return invalidRequest(
    `The response '${responseId.slice(0, MAX_ID_CHARACTERS)}' is still in progress. Wait until it is completed.`,
    'previous_response_id',
  );
}

/** 404 for an id that the key does not have. */
export function unknownResponse(responseId: string): Error {
  return notFound(
    `Response with id '${responseId.slice(0, MAX_ID_CHARACTERS)}' not found.`,
    'not_found',
    'response_id',
  );
}

/** 400 for a previous response that is not kept, or is another key's. */
export function unknownPrevious(responseId: string): Error {
  return invalidRequest(
    `Previous response with id '${responseId.slice(0, MAX_ID_CHARACTERS)}' not found. Send the whole conversation in 'input' instead.`,
    'previous_response_id',
    'previous_response_not_found',
  );
}
