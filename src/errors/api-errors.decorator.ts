import { applyDecorators, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ApiResponse } from '@nestjs/swagger';
import type { ErrorBody } from './gateway-error.js';
import { ErrorBodyDto } from './error-body.dto.js';

export const REQUEST_ID_HEADER = {
  'x-request-id': {
    description: "The client's own id when it sent a sane one, else a new one. Quote it when reporting a fault.",
    schema: { type: 'string' as const, example: 'req_3f1c0e8a9b7d4c55' },
  },
};

const RETRY_AFTER_HEADERS = {
  'retry-after': { description: 'Whole seconds to wait.', schema: { type: 'string' as const, example: '2' } },
  'retry-after-ms': { description: 'Milliseconds to wait.', schema: { type: 'string' as const, example: '1500' } },
};

interface DocumentedError {
  description: string;
  example: ErrorBody;
  headers?: typeof RETRY_AFTER_HEADERS;
}

function example(message: string, type: string, code: string, param: string | null = null): ErrorBody {
  return { error: { message, type, param, code } };
}

const ERRORS = {
  400: {
    description: 'The request is at fault; `param` names the path of the field.',
    example: example(
      "'temperature' must be a number from 0 to 2.",
      'invalid_request_error',
      'invalid_value',
      'temperature',
    ),
  },
  401: {
    description: 'No key, or one that is wrong, revoked or expired.',
    example: example(
      'Incorrect API key provided. Send a valid key as `Authorization: Bearer <key>` or `x-api-key: <key>`.',
      'authentication_error',
      'invalid_api_key',
    ),
  },
  403: {
    description:
      'The key is good, but not for this model (`model_not_allowed`) or route (`insufficient_scope`), it has a budget and the price of the model is unknown (`model_unpriced`), or a session sent the request without its CSRF token (`csrf_token_invalid`).',
    example: example("This key may not call the model 'fast'.", 'permission_error', 'model_not_allowed', 'model'),
  },
  404: {
    description: 'The id is unknown, or it belongs to another key: both have the same response.',
    example: example(
      'The model `fats` does not exist or you do not have access to it.',
      'invalid_request_error',
      'model_not_found',
      'model',
    ),
  },
  409: {
    description: 'The request contradicts an earlier one.',
    example: example('This key is already revoked.', 'invalid_request_error', 'conflict'),
  },
  413: {
    description: 'The body is larger than the route takes.',
    example: example(
      'The request body is larger than 52428800 bytes. Send less, or raise server.max_body_size.',
      'invalid_request_error',
      'request_too_large',
    ),
  },
  415: {
    description: 'The body is not JSON in UTF-8.',
    example: example(
      "Unsupported content type 'text/plain'. Send the body as application/json.",
      'invalid_request_error',
      'unsupported_media_type',
    ),
  },
  422: {
    description: 'The provider refuses the request, in its own words.',
    example: example(
      'messages[1].name: Extra inputs are not permitted',
      'invalid_request_error',
      'invalid_request_error',
      'messages[1].name',
    ),
  },
  429: {
    description:
      'Too many requests, here or at the provider; `retry-after` says when to come back. Type and code `insufficient_quota` with `x-should-retry: false` when a budget is spent.',
    example: example('The provider is rate limiting this model.', 'rate_limit_error', 'rate_limit_exceeded'),
    headers: RETRY_AFTER_HEADERS,
  },
  451: {
    description: 'The provider refuses such content.',
    example: example('The prompt was flagged by moderation.', 'invalid_request_error', 'content_filter'),
  },
  500: {
    description: 'A fault of the gateway; the text is constant and the details are in its log.',
    example: example(
      'The gateway failed to process this request. Retry, and report the x-request-id header if it happens again.',
      'server_error',
      'internal_error',
    ),
  },
  502: {
    description: 'Every deployment of the model failed or sent an invalid response.',
    example: example('The upstream provider failed to answer.', 'server_error', 'upstream_error'),
  },
  503: {
    description: 'The provider, or the database behind an unknown key, cannot take the request now.',
    example: example('The upstream provider is overloaded.', 'server_error', 'upstream_unavailable'),
  },
  504: {
    description: 'The provider said nothing for longer than a timeout allows.',
    example: example('The upstream provider sent no answer within 60 s.', 'server_error', 'upstream_timeout'),
  },
} satisfies Record<number, DocumentedError>;

type DocumentedStatus = keyof typeof ERRORS;

/**
 * Documents errors in Swagger, each with its headers and an example: the given ones, and 500, which every route can respond
 * with.
 */
export function ApiErrorResponses(...statuses: DocumentedStatus[]): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ...[...new Set([...statuses, 500 as const])].map((status) => {
      const { description, example: body, headers }: DocumentedError = ERRORS[status];
      return ApiResponse({
        status,
        description,
        headers: { ...REQUEST_ID_HEADER, ...headers },
        content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorBodyDto' }, example: body } },
      });
    }),
  );
}

/**
 * Documents the errors of a route that needs a key and a scope, as they follow from what it takes: 400 with a query, 400, 413
 * and 415 with any method but GET (a body is read and checked, whether it is used or not), 404 with an id in its path, and
 * always 401, 403, 503 and 500. Stands above the decorator of the
 * route (`@Get()`), whose metadata it reads.
 *
 * @param further further statuses that it responds with
 */
export function ApiErrors(...further: DocumentedStatus[]): MethodDecorator {
  return (target, name, descriptor) => {
    const handler = descriptor.value as object;
    const path = String(Reflect.getMetadata(PATH_METADATA, handler) ?? '');
    const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
    const taken = argumentKinds(target.constructor, name);
    const statuses: DocumentedStatus[] = [401, 403, 503, ...further];
    if (/[:*]/.test(path)) statuses.push(404);
    if (taken.has(RouteParamtypes.QUERY)) statuses.push(400);
    if (method !== RequestMethod.GET) statuses.push(400, 413, 415);
    ApiErrorResponses(...statuses.sort((first, second) => first - second))(target, name, descriptor);
  };
}

/** Which kinds of arguments a handler takes; Nest keeps them as `<kind>:<index>`. */
function argumentKinds(controller: object, name: string | symbol): ReadonlySet<number> {
  const kept = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<string, unknown>;
  return new Set(Object.keys(kept).map((key) => Number(key.split(':')[0])));
}

/** Named so that the document always contains the schema that the references above point to. */
export const ERROR_MODELS = [ErrorBodyDto];
