import {
  APICallError,
  InvalidArgumentError,
  InvalidPromptError,
  JSONParseError,
  LoadAPIKeyError,
  NoSuchModelError,
  TypeValidationError,
  UnsupportedFunctionalityError,
} from '@ai-sdk/provider';
import { describeError } from '../../errors/describe-error.js';
import { upstreamTimeout } from '../../errors/gateway-error.js';
import { redactor } from '../../wire/errors/redact.js';
import { toGatewayError } from './to-gateway-error.js';

const KEY = 'secret-key-0123456789';
const redact = redactor({ apiKey: KEY, baseUrl: 'https://upstream.internal.example/v1', headers: {} });
const map = (error: unknown) => toGatewayError(error, redact, 0);
const CALL = {
  url: 'https://upstream.internal.example/v1/messages',
  requestBodyValues: { prompt: 'a private prompt' },
};

describe('toGatewayError', () => {
  it('finds the gateway’s own error inside what a package wraps it in', () => {
    const own = upstreamTimeout({ message: 'too late' });
    expect(map(own)).toBe(own);
    expect(map(new APICallError({ ...CALL, message: 'x', cause: new Error('y', { cause: own }) }))).toBe(own);
  });

  it.each([
    [400, 400],
    [401, 502],
    [402, 502],
    [403, 502],
    [422, 422],
    [429, 429],
    [500, 502],
    [529, 503],
  ])('maps a refusal with status %d to %d', (statusCode, status) => {
    const responseBody = JSON.stringify({ error: { type: 'x', message: `no: ${KEY} at ${CALL.url}` } });
    const error = map(
      new APICallError({ ...CALL, message: 'no', statusCode, responseBody, responseHeaders: { 'retry-after': '2' } }),
    );
    expect(error.status).toBe(status);
    expect(error.retryAfterMs).toBe(status === 429 || status === 503 ? 2000 : undefined);
    expect(JSON.stringify(error.toBody())).not.toMatch(/secret-key|upstream\.internal/);
  });

  it.each<[Error, number, string | null]>([
    [new UnsupportedFunctionalityError({ functionality: 'File URL data' }), 400, 'unsupported_value'],
    [new InvalidPromptError({ prompt: 'a private prompt', message: 'x' }), 400, 'invalid_value'],
    [new InvalidArgumentError({ argument: 'toolChoice', message: 'x' }), 400, 'invalid_value'],
    [new NoSuchModelError({ modelId: 'x', modelType: 'languageModel' }), 404, 'model_not_found'],
    [new LoadAPIKeyError({ message: 'x' }), 502, 'upstream_error'],
    [new TypeValidationError({ value: 'a private answer', cause: new Error('x') }), 502, 'upstream_error'],
    [new JSONParseError({ text: 'a private answer', cause: new Error('x') }), 502, 'upstream_error'],
    [new Error('a private prompt'), 502, 'upstream_error'],
  ])('maps %p', (thrown, status, code) => {
    const error = map(thrown);
    expect(error).toMatchObject({ status, code });
    expect(JSON.stringify([error.toBody(), describeError(error)])).not.toContain('private');
  });

  it('reads an error that came with status 200', () => {
    const cause = new TypeValidationError({
      value: { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'slow down' } },
      cause: new Error('x'),
    });
    expect(map(new APICallError({ ...CALL, message: 'x', statusCode: 200, cause }))).toMatchObject({ status: 429 });
    expect(map(cause)).toMatchObject({ status: 429 });
  });

  it.each<[unknown, number]>([
    [{ type: 'overloaded_error', message: 'Overloaded' }, 503],
    [{ type: 'rate_limit_error', message: 'slow down' }, 429],
    [{ type: 'invalid_request_error', message: 'prompt is too long' }, 400],
    [{ type: 'authentication_error', message: `bad ${KEY}` }, 502],
    [{ type: 'api_error', message: 'Internal' }, 502],
    [{ error: { code: 503, status: 'UNAVAILABLE', message: 'x' } }, 503],
    [{ message: 'The model ended early' }, 502],
    ['a string', 502],
    [undefined, 502],
  ])('maps the error event %j to %d', (event, status) => {
    const error = map(event);
    expect(error.status).toBe(status);
    expect(error.message).not.toContain(KEY);
  });
});
