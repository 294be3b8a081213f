import { ApiErrorForm, type ErrorMeanings } from '../errors/error-form.decorator.js';
import { GoogleErrorBodyDto } from './google-error.dto.js';

/** Description and canonical code of google.rpc by status. */
const ERRORS: ErrorMeanings = {
  400: ['The request is at fault; `BadRequest` in `details` names the path of the field.', 'INVALID_ARGUMENT'],
  401: ['No key, or one that is wrong, revoked or expired.', 'UNAUTHENTICATED'],
  403: ['The key is good, but not for this model or route.', 'PERMISSION_DENIED'],
  404: ['There is no such model for this key, or no such path.', 'NOT_FOUND'],
  409: ['The request contradicts an earlier one.', 'ABORTED'],
  413: ['The body is larger than the route takes.', 'INVALID_ARGUMENT'],
  415: ['The body is not JSON in UTF-8.', 'INVALID_ARGUMENT'],
  422: ['The provider refuses the request, in its own words.', 'INVALID_ARGUMENT'],
  429: [
    'Too many requests, here or at the provider; `RetryInfo` in `details` says when to come back.',
    'RESOURCE_EXHAUSTED',
  ],
  451: ['The provider refuses such content.', 'FAILED_PRECONDITION'],
  500: ['A fault of the gateway; the details are in its log.', 'INTERNAL'],
  502: ['Every deployment of the model failed or sent an invalid response.', 'UNAVAILABLE'],
  503: ['The provider cannot take the request now.', 'UNAVAILABLE'],
  504: ['The provider said nothing for longer than a timeout allows.', 'DEADLINE_EXCEEDED'],
};

/** Documents errors in the form of google.rpc, in place of those of the decorators below it. */
export function GoogleErrors(): MethodDecorator {
  return ApiErrorForm(GoogleErrorBodyDto, ERRORS, (code, message, status) => ({
    error: { code, message, status, details: [] },
  }));
}
