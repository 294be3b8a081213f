import { applyDecorators, HttpCode, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiSecurity } from '@nestjs/swagger';
import { ApiErrors, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import { ModelBody } from '../http/json-body.interceptor.js';

type ResponseHeader = { description: string; schema: { type: 'string'; example: string } };

function header(description: string, example: string): ResponseHeader {
  return { description, schema: { type: 'string', example } };
}

/** The headers of every response of a model. */
export const MODEL_RESPONSE_HEADERS = {
  ...REQUEST_ID_HEADER,
  'x-gateway-model': header(
    'The configured model that served the request: a fallback where it differs from the requested model.',
    'fast',
  ),
  'x-gateway-provider': header('The provider that served the request, by its name in the configuration.', 'openai'),
  'x-gateway-attempts': header('Upstream calls that it took.', '1'),
  'x-gateway-dropped-params': header(
    'Fields of the request that the provider cannot take and did not get; absent when there are none.',
    'seed, logit_bias',
  ),
  'x-gateway-cost': header('US dollars; absent when the price is unknown, never a made-up 0.', '0.0000125'),
  'x-ratelimit-limit-requests': header(
    "Requests a minute, of the gateway's nearest limit. Where it has none, all `x-ratelimit-*` are those of a provider that speaks the client's format, or absent.",
    '600',
  ),
  'x-ratelimit-remaining-requests': header('Requests that are left of it.', '599'),
  'x-ratelimit-reset-requests': header('Time until the window ends.', '1m0s'),
  'x-ratelimit-limit-tokens': header('Tokens a minute, of the nearest limit; absent when there is none.', '200000'),
  'x-ratelimit-remaining-tokens': header('Tokens that are left of it.', '199000'),
  'x-ratelimit-reset-tokens': header('Time until the window ends.', '59s'),
  'openai-processing-ms': header('Milliseconds until the response was there.', '412'),
};

/** The same of POST /v1/messages, with what Anthropic says of its limits where Claude runs there. */
export const MESSAGES_RESPONSE_HEADERS = {
  ...MODEL_RESPONSE_HEADERS,
  'anthropic-ratelimit-requests-limit': header(
    'Of Anthropic itself, where it responded. So are all others that begin with `anthropic-ratelimit-` or `anthropic-priority-`, on errors as well.',
    '4000',
  ),
  'anthropic-ratelimit-requests-remaining': header('Requests that are left of it.', '3999'),
  'anthropic-ratelimit-requests-reset': header('When it is whole again, in RFC 3339.', '2026-11-28T08:00:00Z'),
  'anthropic-ratelimit-tokens-limit': header('Tokens a minute, of Anthropic itself.', '400000'),
  'anthropic-ratelimit-tokens-remaining': header('Tokens that are left of it.', '399000'),
  'anthropic-ratelimit-tokens-reset': header('When it is whole again, in RFC 3339.', '2026-11-28T08:00:00Z'),
};

/** Durations up to 24 h, as programs write them. The gateway also takes fractions and spaces. */
const TIMEOUT_PATTERN = '^([1-9]\\d{0,6}ms|[1-9]\\d{0,3}s|[1-9]\\d{0,2}m|([1-9]|1\\d|2[0-4])h)$';

export const MODEL_ENDPOINT = 'gateway:model-endpoint';

/** A route whose JSON body goes to a model: its size limit, key, routing headers and errors, and their documentation. */
export function ModelEndpoint(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiBearerAuth('bearer'),
    ApiSecurity('x-api-key'),
    ApiHeader({
      name: 'x-gateway-fallbacks',
      required: false,
      description:
        'At most ten models to try after this one, separated by commas, or `none`, such as `sandbox/lorem`. Needs the scope `routing`.',
      schema: { type: 'string', pattern: '^(\\s*|\\s*[^,\\s][^,]{0,255}(,\\s*[^,\\s][^,]{0,255}){0,9})$' },
    }),
    ApiHeader({
      name: 'x-gateway-timeout',
      required: false,
      description:
        'Longest time for the whole request, with its unit, such as `20s`; at most 24 h. Needs the scope `routing`.',
      schema: { type: 'string', pattern: TIMEOUT_PATTERN },
    }),
    ApiErrors(400, 401, 403, 404, 409, 413, 415, 422, 429, 451, 502, 503, 504),
    ModelBody(),
    SetMetadata(MODEL_ENDPOINT, true),
    HttpCode(200),
  );
}
