import { mapErrorResponse, mapErrorObject } from './map-error.js';
import { redactor } from './redact.js';

const SECRET = 'sk-canary-0123456789';
const redact = redactor({ apiKey: SECRET, baseUrl: 'https://llm.internal.example/v1', headers: {} });

function map(status: number, body: unknown, headers: Record<string, string> = {}) {
  return mapErrorResponse(status, headers, typeof body === 'string' ? body : JSON.stringify(body), redact, 0);
}

describe('a refusal of the request itself', () => {
  it.each([400, 409, 413, 415, 422])('%d keeps status, message, type, param and code, and is final', (status) => {
    const error = {
      message: "Unsupported value: 'temperature'.",
      type: 'invalid_request_error',
      param: 'temperature',
      code: 'unsupported_value',
    };
    const mapped = map(status, { error });
    expect(mapped.status).toBe(status);
    expect(mapped.toBody()).toEqual({ error });
    expect(mapped.retryable).toBe(false);
  });

  it.each([
    ['a string', { error: 'model does not support tools' }, 'model does not support tools', null],
    ['a message alone', { message: 'bad image', code: 'bad_image' }, 'bad image', null],
    ['FastAPI text', { detail: 'bad request' }, 'bad request', null],
    [
      'FastAPI faults',
      {
        detail: [
          { loc: ['body', 'messages', 2, 'content'], msg: 'Field required', type: 'missing' },
          { loc: ['body', 'top_p'], msg: 'too large', type: 'le' },
        ],
      },
      'messages[2].content: Field required; top_p: too large',
      'messages[2].content',
    ],
    [
      'a list',
      [{ error: { message: 'Invalid JSON payload', code: 400, status: 'INVALID_ARGUMENT' } }],
      'Invalid JSON payload',
      null,
    ],
    [
      "Mistral's faults",
      {
        object: 'error',
        message: {
          detail: [
            {
              type: 'extra_forbidden',
              loc: ['body', 'messages', 0, 'user', 'name'],
              msg: 'Extra inputs are not permitted',
            },
          ],
        },
        type: 'invalid_request_error',
        param: null,
        code: null,
      },
      'messages[0].user.name: Extra inputs are not permitted',
      'messages[0].user.name',
    ],
    ['an object as detail', { detail: { msg: 'bad image' } }, 'bad image', null],
    [
      "Cohere's message",
      { id: 'x', message: "invalid type: parameter 'k' is of type string" },
      "invalid type: parameter 'k' is of type string",
      null,
    ],
    [
      "AWS's message",
      { __type: 'ValidationException', Message: 'The model does not take images.' },
      'The model does not take images.',
      null,
    ],
    [
      'a problem document',
      { title: 'Bad Request', detail: 'top_k is out of range', status: 400 },
      'top_k is out of range',
      null,
    ],
    [
      'a list of errors',
      { errors: [{ field: 'top_k', description: 'out of range' }, 'and more'] },
      'top_k: out of range; and more',
      'top_k',
    ],
    ['a name beside the reason', { error: 'bad_request', message: 'stop is too long' }, 'stop is too long', null],
    [
      'JSON in a string',
      { error: { message: '{"error":{"message":"seed must be positive"}}' } },
      'seed must be positive',
      null,
    ],
    [
      "OpenRouter's words of the provider behind it",
      {
        error: {
          message: 'Provider returned error',
          code: 400,
          metadata: { raw: '{"detail":"no tools here"}', provider_name: 'X' },
        },
      },
      'Provider returned error: no tools here',
      null,
    ],
    [
      "Google's violations",
      {
        error: {
          code: 400,
          status: 'INVALID_ARGUMENT',
          details: [{ '@type': 'BadRequest', fieldViolations: [{ field: 'contents[0]', description: 'is empty' }] }],
        },
      },
      'contents[0]: is empty',
      'contents[0]',
    ],
    ['plain text', 'temperature too high\n', 'temperature too high', null],
    ['nothing', '', 'The upstream provider refused the request (HTTP 400).', null],
    ['HTML', '<html>nginx at 10.0.0.1</html>', 'The upstream provider refused the request (HTTP 400).', null],
  ])('is read from %s', (_shape, body, message, param) => {
    const mapped = map(400, body);
    expect(mapped.toBody().error).toMatchObject({ message, param, type: 'invalid_request_error' });
    expect(mapped.status).toBe(400);
  });

  it.each([
    [
      'vLLM',
      {
        object: 'error',
        message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
        type: 'BadRequestError',
        param: null,
        code: 400,
      },
    ],
    [
      'llama.cpp',
      {
        error: {
          code: 400,
          message: 'the request exceeds the available context size, try increasing it',
          type: 'exceed_context_size_error',
        },
      },
    ],
    [
      'Groq',
      {
        error: {
          message: 'Please reduce the length of the messages or completion.',
          type: 'invalid_request_error',
          code: 'context_length_exceeded',
        },
      },
    ],
    [
      'Together',
      {
        error: {
          message: 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. The prompt is too long',
          type: 'invalid_request_error',
          param: 'max_tokens',
          code: null,
        },
      },
    ],
    [
      'Mistral',
      {
        object: 'error',
        message: 'Prompt contains 40000 tokens, too large for model with 32768 maximum context length',
        type: 'invalid_request_error',
        code: '3051',
      },
    ],
    [
      'OpenRouter',
      {
        error: {
          message: "This endpoint's maximum context length is 8192 tokens. However, you requested about 9000 tokens.",
          code: 400,
        },
      },
    ],
  ])('has one code for a context that is too long: %s', (_vendor, body) => {
    expect(map(400, body)).toMatchObject({ status: 400, code: 'context_length_exceeded', retryable: false });
  });

  it('does not take every mention of a context for one that is too long', () => {
    expect(map(400, { error: { message: 'Unknown parameter: context_management' } }).code).toBeNull();
  });

  it('keeps the 404 of an unknown model', () => {
    const ollama = {
      error: { message: 'model "nope" not found, try pulling it first', type: 'api_error', param: null, code: null },
    };
    expect(map(404, ollama)).toMatchObject({
      status: 404,
      code: 'model_not_found',
      type: 'api_error',
      retryable: false,
    });
    const openai = {
      error: {
        message: 'The model `x` does not exist',
        type: 'invalid_request_error',
        param: null,
        code: 'model_not_found',
      },
    };
    expect(map(404, openai)).toMatchObject({ status: 404, code: 'model_not_found' });
  });

  it.each(['404 page not found', '<html>404</html>', { detail: 'Not Found' }, ''])(
    'takes a 404 that says nothing of a model for a wrong base URL: %p',
    (body) => {
      expect(map(404, body)).toMatchObject({ status: 502, code: 'upstream_error', retryable: true });
    },
  );

  it('shows no key and no address', () => {
    const mapped = map(400, {
      error: { message: `No ${SECRET} at https://llm.internal.example/v1`, param: SECRET, code: 'sk-abcdef123456' },
    });
    expect(JSON.stringify(mapped.toBody())).not.toMatch(/canary|internal\.example|sk-abcdef/);
  });

  it('bounds what it repeats', () => {
    expect(map(400, { error: { message: 'x'.repeat(100_000), code: 'y'.repeat(500) } }).message.length).toBeLessThan(
      5000,
    );
  });
});

describe("what is the operator's business", () => {
  it.each([
    [401, { error: { message: `Incorrect API key provided: ${SECRET}`, code: 'invalid_api_key' } }],
    [402, { error: { message: 'Insufficient Balance' } }],
    [403, { error: { message: 'Country not supported' } }],
    [400, [{ error: { code: 400, message: 'API key not valid. Please pass a valid API key.' } }]],
    [
      429,
      { error: { message: 'You exceeded your current quota', type: 'insufficient_quota', code: 'insufficient_quota' } },
    ],
    [403, 'plain canary text'],
    ...[
      'Your credit balance is too low to access the API. Please go to Plans & Billing.',
      'You have reached your specified API usage limits. You will regain access on 2026-12-01.',
      'The free tier is not available. Please enable billing on your project.',
      'Billing hard limit has been reached',
      'You have insufficient funds',
    ].map((message): [number, unknown] => [400, { error: { message: `canary: ${message}` } }]),
  ])('%d %j is a constant 502 on which another deployment may be tried', (status, body) => {
    const mapped = map(status, body);
    expect(mapped).toMatchObject({ status: 502, code: 'upstream_error', type: 'server_error', retryable: true });
    expect(mapped.message).toMatch(/operator/);
    expect(mapped.message).not.toMatch(/canary|quota|Balance|Country/);
  });
});

describe('a rate limit', () => {
  it('stays 429 and says when to come back', () => {
    const mapped = map(
      429,
      { error: { message: 'in organization org-1', code: 'rate_limit_exceeded' } },
      { 'retry-after': '5' },
    );
    expect(mapped).toMatchObject({
      status: 429,
      type: 'rate_limit_error',
      code: 'rate_limit_exceeded',
      retryable: true,
      retryAfterMs: 5000,
      headers: { 'retry-after': '5', 'retry-after-ms': '5000' },
    });
    expect(mapped.message).not.toContain('org-1');
  });

  it('rounds seconds up and milliseconds not at all', () => {
    expect(map(429, '', { 'retry-after-ms': '1200' }).headers).toEqual({
      'retry-after': '2',
      'retry-after-ms': '1200',
    });
    expect(map(429, '').headers).toEqual({});
  });
});

describe("an upstream's own failure", () => {
  it.each([
    [500, 502, 'upstream_error'],
    [501, 502, 'upstream_error'],
    [502, 502, 'upstream_error'],
    [503, 503, 'upstream_unavailable'],
    [529, 503, 'upstream_unavailable'],
    [498, 503, 'upstream_unavailable'],
    [504, 504, 'upstream_timeout'],
    [524, 504, 'upstream_timeout'],
    [408, 504, 'upstream_timeout'],
    [405, 502, 'upstream_error'],
    [301, 502, 'upstream_error'],
    [307, 502, 'upstream_error'],
  ])('%d becomes %d %s, in constant words', (status, expected, code) => {
    const mapped = map(status, { error: { message: 'canary' } });
    expect(mapped).toMatchObject({ status: expected, code, type: 'server_error', retryable: true });
    expect(mapped.message).not.toContain('canary');
  });

  it('passes on how long to wait', () => {
    expect(map(503, '', { 'retry-after': '7' })).toMatchObject({ retryAfterMs: 7000, headers: { 'retry-after': '7' } });
  });
});

describe('an error object with status 200', () => {
  it.each([
    [{ message: 'Overloaded', type: 'server_error', code: null }, 502, 'upstream_error'],
    ['it broke', 502, 'upstream_error'],
    [null, 502, 'upstream_error'],
    [{ code: 502, message: 'Provider returned error' }, 502, 'upstream_error'],
    [{ code: 429, message: 'slow down' }, 429, 'rate_limit_exceeded'],
    [{ error: { code: 503, message: 'down' } }, 503, 'upstream_unavailable'],
    [{ message: 'maximum context length is 4096 tokens', code: null }, 400, 'context_length_exceeded'],
    [{ message: 'You exceeded your quota', code: 'insufficient_quota' }, 502, 'upstream_error'],
    [{ message: 'Too many tokens, please wait', code: 'rate_limit_exceeded' }, 429, 'rate_limit_exceeded'],
    [{ message: 'Too many tokens, please wait', code: 429 }, 429, 'rate_limit_exceeded'],
    [{ message: 'too many tokens in the prompt', code: 400 }, 400, 'context_length_exceeded'],
    [{ message: 'Your credit balance is too low', type: 'invalid_request_error' }, 502, 'upstream_error'],
  ])('%j', (error, status, code) => {
    expect(mapErrorObject(error, redact)).toMatchObject({ status, code });
  });
});

describe('how long to wait', () => {
  it.each<[unknown, Record<string, string>, number | undefined]>([
    [{ error: { message: 'Rate limit reached. Please try again in 20s. Visit the site.' } }, {}, 20_000],
    [{ error: { message: 'Limit 30000, used 29000. Please try again in 1m2.5s.' } }, {}, 62_500],
    [{ error: { message: 'Please try again in 250ms.' } }, {}, 250],
    [{ error: { message: 'Please retry after 8 seconds.' } }, {}, 8000],
    [{ error: { message: 'Please wait for 2 minutes' } }, {}, 120_000],
    [{ error: { message: 'Quota of 100 exceeded.' } }, {}, undefined],
    [{ error: { message: 'Please try again later. It has 30 models.' } }, {}, undefined],
    [{ error: { message: 'Try again in 3s' } }, { 'retry-after': '7' }, 7000],
    [{ error: { code: 429, details: [{ '@type': 'RetryInfo', retryDelay: '34.07s' }] } }, {}, 34_070],
    [[{ error: { code: 429, details: [{ '@type': 'RetryInfo', retryDelay: '5s' }] } }], {}, 5000],
    [{ message: 'slow down', retry_after: 3 }, {}, 3000],
    [{ error: { message: 'slow down', retry_after_ms: '1500' } }, {}, 1500],
    [{ message: 'slow down', retry_after: 1e9 }, {}, undefined],
    [{ message: 'slow down', retry_after: -1 }, {}, undefined],
  ])('after %j and the headers %j is %p ms', (body, headers, expected) => {
    for (const status of [429, 503]) expect(map(status, body, headers).retryAfterMs).toBe(expected);
  });

  it('is read from an error in the middle of a stream as well', () => {
    const error = { message: 'Rate limit reached, try again in 4s', code: 'rate_limit_exceeded' };
    expect(mapErrorObject(error, redact)).toMatchObject({ status: 429, retryAfterMs: 4000 });
  });
});

describe('an error in the middle of a stream', () => {
  it.each<[unknown, number, string]>([
    [{ message: 'CUDA out of memory', code: 500 }, 502, 'CUDA out of memory'],
    [{ message: 'Overloaded', type: 'overloaded_error', status: 529 }, 503, 'Overloaded'],
    [{ object: 'error', message: 'EngineDeadError', code: 'x' }, 502, 'EngineDeadError'],
    ['the worker was stopped', 502, 'the worker was stopped'],
    [
      { code: 502, message: 'Provider disconnected', metadata: { raw: 'upstream idle' } },
      502,
      'Provider disconnected: upstream idle',
    ],
  ])('reads the words of %j', (error, status, words) => {
    const mapped = mapErrorObject(error, redact);
    expect(mapped.status).toBe(status);
    expect(mapped.message).toContain(`It says: ${words}`);
  });

  it('hides keys and addresses, and says nothing of credentials', () => {
    const places = [
      'https://llm.internal.example/v1',
      'http://other.example/path?x=1',
      '10.1.2.3:8000',
      '192.168.0.7',
      'worker-3.ml.svc.cluster.local',
      'gpu-box.internal',
      'localhost:8000',
      'node.example.com:9000',
      '[fe80::1]:8000',
      SECRET,
      'sk-other-key-12345678',
    ];
    for (const place of places) {
      const { message } = mapErrorObject({ message: `Failed at ${place} with 3.5 of 4 workers` }, redact);
      expect(message).not.toContain(place);
      expect(message).toContain('with 3.5 of 4 workers');
    }
    expect(mapErrorObject({ message: `Incorrect API key provided: ${SECRET}` }, redact).message).not.toContain(
      'It says',
    );
    expect(mapErrorObject({ message: 'x'.repeat(5000) }, redact).message.length).toBeLessThan(1200);
  });
});

describe('an account without quota', () => {
  const openAi = {
    message: 'You exceeded your current quota.',
    type: 'insufficient_quota',
    code: 'insufficient_quota',
  };
  const groq = {
    message: 'Rate limit reached for model on tokens per day (TPD): Limit 100000. Please try again in 7m12s.',
    code: 'rate_limit_exceeded',
  };
  const gemini = {
    error: {
      code: 429,
      message: 'You exceeded your current quota. Please retry in 34.5s.',
      status: 'RESOURCE_EXHAUSTED',
      details: [{ violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }] }],
    },
  };

  it.each([
    ['OpenAI', 429, { error: openAi }, 502, undefined],
    ['DeepSeek', 402, { error: { message: 'Insufficient Balance' } }, 502, undefined],
    ['a bare 402', 402, {}, 502, undefined],
    ['Anthropic', 400, { error: { message: 'Your credit balance is too low to access the API.' } }, 502, undefined],
    ['xAI', 403, { error: 'Your team has used all available credits or has no credits left.' }, 502, undefined],
    ['Groq, of a day', 429, { error: groq }, 429, 432_000],
    ['Gemini, of a day', 429, gemini, 429, 34_500],
    ['OpenRouter, of a day', 429, { error: { message: 'Rate limit exceeded: free-models-per-day' } }, 429, undefined],
  ])('%s: is known as such, and may be tried elsewhere', (_name, status, body, mapped, waitMs) => {
    const error = map(status, body);
    expect([error.isOutOfQuota, error.retryable, error.status, error.retryAfterMs]).toEqual([
      true,
      true,
      mapped,
      waitMs,
    ]);
  });

  it('is read from an error of status 200, and with the time that the provider names', () => {
    expect(mapErrorObject({ code: 'insufficient_quota', message: 'quota' }, redact).isOutOfQuota).toBe(true);
    expect(mapErrorObject({ code: 402, message: 'Insufficient credits' }, redact).isOutOfQuota).toBe(true);
    const timed = map(402, {}, { 'retry-after': '3600' });
    expect([timed.isOutOfQuota, timed.retryAfterMs, timed.headers]).toEqual([true, 3_600_000, {}]);
  });

  it.each([
    [429, { error: { message: 'Too many requests per minute.' } }],
    [
      429,
      {
        error: {
          code: 429,
          message: 'You exceeded your current quota, please check your plan and billing details.',
          status: 'RESOURCE_EXHAUSTED',
          details: [{ violations: [{ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel' }] }],
        },
      },
    ],
    [401, { error: { message: 'Incorrect API key provided.' } }],
    [403, { error: { message: 'Not allowed in your country.' } }],
    [400, { error: { message: 'Invalid API key.' } }],
    [500, { error: { message: 'daily report failed' } }],
    [503, {}],
  ])('is not every refusal: %d %j', (status, body) => {
    expect(map(status, body).isOutOfQuota).toBe(false);
  });
});
