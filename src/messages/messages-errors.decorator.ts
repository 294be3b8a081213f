import { ApiErrorForm, type ErrorMeanings } from '../errors/error-form.decorator.js';
import { MessagesErrorDto } from './messages.dto.js';

/** Description and Anthropic's type by status. */
const ERRORS: ErrorMeanings = {
  400: ['The request is at fault; the message names the field.', 'invalid_request_error'],
  401: ['No key, or one that is wrong, revoked or expired.', 'authentication_error'],
  403: ['The key is good, but not for this model or route.', 'permission_error'],
  404: ['There is no such model for this key, or no such path.', 'not_found_error'],
  409: ['The request contradicts an earlier one.', 'invalid_request_error'],
  413: ['The body is larger than the route takes.', 'request_too_large'],
  415: ['The body is not JSON in UTF-8.', 'invalid_request_error'],
  422: ['The provider refuses the request, in its own words.', 'invalid_request_error'],
  429: ['Too many requests, here or at the provider; `retry-after` says when to come back.', 'rate_limit_error'],
  451: ['The provider refuses such content.', 'invalid_request_error'],
  500: ['A fault of the gateway; the details are in its log.', 'api_error'],
  502: ['Every deployment of the model failed or sent an invalid response.', 'api_error'],
  503: ['The provider cannot take the request now.', 'overloaded_error'],
  504: ['The provider said nothing for longer than a timeout allows.', 'timeout_error'],
};

/** Documents errors in Anthropic's form, in place of those of the decorators below it. */
export function MessagesErrors(): MethodDecorator {
  return ApiErrorForm(MessagesErrorDto, ERRORS, (_status, message, type) => ({
    type: 'error',
    error: { type, message },
    request_id: 'req_3f1c0e8a9b7d4c55',
  }));
}
