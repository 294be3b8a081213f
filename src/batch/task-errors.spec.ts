import { ERROR_CODES } from '../errors/error-codes.js';
import { GatewayError, invalidRequest, notFound, rateLimitExceeded } from '../errors/gateway-error.js';
import { ErrorFormats } from '../http/error-formats.js';
import type { JsonEndpoint } from '../model-endpoint/json-endpoint.js';
import { JsonEndpoints } from '../model-endpoint/json-endpoints.js';
import { ANTHROPIC } from '../wire/anthropic/anthropic-wire.js';
import { TaskErrors } from './task-errors.js';

const CHAT = { operation: 'chat', dialect: null };
const MESSAGES = { operation: 'chat', dialect: 'anthropic' };
const RESPONSES = { operation: 'chat', dialect: 'openai-responses' };
const UNKNOWN = { operation: 'chat', dialect: 'of-tomorrow' };

describe('errors of tasks', () => {
  const endpoints = new JsonEndpoints();
  endpoints.add({ path: '/v1/messages', ...MESSAGES } as unknown as JsonEndpoint);
  endpoints.add({ path: '/v1/responses', ...RESPONSES } as unknown as JsonEndpoint);
  const formats = new ErrorFormats();
  formats.add('/v1/messages', (error, requestId) => ANTHROPIC.writeError(error, requestId));
  const errors = new TaskErrors(endpoints, formats);

  it.each([
    invalidRequest("'n' is too high.", 'n'),
    notFound('No such model.', 'model_not_found', 'model'),
    rateLimitExceeded({ message: 'slower', retryAfterMs: 1 }),
    new GatewayError({ status: 529, type: 'overloaded_error', code: null, message: 'Overloaded' }),
  ])('are shown as the live endpoint says them: %s', (error) => {
    for (const task of [CHAT, RESPONSES, UNKNOWN]) {
      const shown = errors.shown(errors.stored(error, 'req_1'), task);
      expect(JSON.parse(shown.error)).toEqual(error.toBody().error);
      expect(shown).toMatchObject({ statusCode: error.status, requestId: 'req_1' });
    }
    const shown = errors.shown(errors.stored(error, 'req_1'), MESSAGES);
    expect(JSON.parse(shown.error)).toEqual(ANTHROPIC.writeError(error, '')['error']);
    expect(shown).toMatchObject({ statusCode: error.status, requestId: 'req_1' });
  });

  it('are shown in the format of the task when the gateway itself ended it', () => {
    const expired = { message: 'The job expired.', type: 'server_error', param: null, code: 'batch_expired' };
    expect(errors.shown(JSON.stringify(expired), CHAT)).toEqual({
      error: JSON.stringify(expired),
      statusCode: ERROR_CODES.batch_expired,
      requestId: null,
    });
    expect(JSON.parse(errors.shown(JSON.stringify(expired), MESSAGES).error)).toEqual({
      type: 'timeout_error',
      message: 'The job expired.',
    });
    const lost = { ...expired, code: 'some_code' };
    expect(JSON.parse(errors.shown(JSON.stringify(lost), MESSAGES).error)).toMatchObject({ type: 'api_error' });
    for (const text of ['null', '{}', '[]']) {
      expect(JSON.parse(errors.shown(text, MESSAGES).error)).toEqual({
        type: 'api_error',
        message: 'The task failed.',
      });
    }
  });
});
