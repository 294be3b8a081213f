import { upstreamError } from '../../errors/gateway-error.js';
import type { CanonicalResult } from '../../operations/chat/canonical/canonical-result.js';
import { asNumber } from '../../runtime/exact-integers.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { mapErrorObject } from '../errors/map-error.js';
import type { ReadContext } from '../wire-format.js';
import { readFinish } from './finish-reason.js';
import { extrasOf } from './item-extras.js';
import { readOutputItems } from './read-output.js';
import { readBilledUsage } from './usage.js';

/**
 * A whole response.
 *
 * @throws GatewayError where it failed, or where it is no response of the format
 */
export function readResponse(body: unknown, context: ReadContext): CanonicalResult {
  if (!isObject(body)) throw upstreamError({ message: 'The upstream provider answered with no JSON object.' });
  if (body['status'] === 'failed' || (isObject(body['error']) && !Array.isArray(body['output']))) {
    throw failure(body, context);
  }
  const { output } = body;
  if (!Array.isArray(output)) {
    throw upstreamError({
      message: 'The upstream provider answered with a body that is no response: it has no output.',
    });
  }
  const blocks = readOutputItems(output, context.toolNames);
  const usage = readBilledUsage(body);
  const text = outputText(body, blocks.length);
  return {
    ...headOf(body),
    choices: [
      {
        blocks: text === undefined ? blocks : [{ type: 'text', text }],
        finish: readFinish(body, blocks),
      },
    ],
    ...(usage !== undefined && { usage }),
    ...tierOf(body),
    ...extrasOf({ status: body['status'] === 'completed' ? undefined : body['status'] }),
  };
}

/** Some servers put the text at the top alone. */
function outputText(body: JsonObject, blocks: number): string | undefined {
  return blocks === 0 ? nonEmptyString(body['output_text']) : undefined;
}

/** Id, model and time of a response, as far as it has them. */
export function headOf(body: JsonObject): { id?: string; model?: string; created?: number } {
  const [id, model, created] = [
    nonEmptyString(body['id']),
    nonEmptyString(body['model']),
    asNumber(body['created_at']),
  ];
  return {
    ...(id !== undefined && { id }),
    ...(model !== undefined && { model }),
    ...(created !== undefined && Number.isFinite(created) && { created: Math.floor(created) }),
  };
}

/** The service tier of a response; empty if there is none. */
export function tierOf(body: JsonObject): { serviceTier?: string } {
  const tier = nonEmptyString(body['service_tier']);
  return tier === undefined ? {} : { serviceTier: tier };
}

/** A response whose status is `failed`. */
export function failure(response: JsonObject, { redact }: ReadContext): Error {
  const error = isObject(response['error']) ? response['error'] : { message: 'The response failed.' };
  return mapErrorObject({ error }, redact, statusOf(error));
}

/** HTTP status of an error code that stands in a response of status 200. */
export function statusOf(error: JsonObject): number | undefined {
  switch (error['code']) {
    case 'rate_limit_exceeded':
    case 'slow_down':
      return 429;
    case 'server_is_overloaded':
      return 503;
    case 'server_error':
      return 500;
    case 'invalid_prompt':
    case 'bio_policy':
      return 400;
    default:
      return typeof error['code'] === 'string' && /image/.test(error['code']) ? 400 : undefined;
  }
}
