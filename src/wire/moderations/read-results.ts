import { readTokenCount, type TokenCount } from '../../runtime/token-count.js';
import { upstreamError, type GatewayError } from '../../errors/gateway-error.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import type { ModerationResult } from '../../operations/moderations/moderation-result.js';

/** 502: a response with status 200 that does not contain a result for each input. */
export function badModeration(what: string): GatewayError {
  return upstreamError({ message: `The upstream provider answered with ${what} instead of a moderation.` });
}

/** The frame that OpenAI and Mistral share. @throws GatewayError `upstream_error` */
export function readModeration(
  text: string,
  count: number,
  model: string,
  readResult: (result: JsonObject) => ModerationResult['results'][number],
): ModerationResult {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw badModeration('something that is not whole JSON');
  }
  if (!isObject(body) || !Array.isArray(body['results'])) throw badModeration('no list');
  const results: readonly unknown[] = body['results'];
  if (results.length !== count) throw badModeration(`${results.length} results for ${count} inputs`);
  return {
    id: nonEmptyString(body['id']),
    model: nonEmptyString(body['model']) ?? model,
    results: results.map((result) => {
      if (!isObject(result)) throw badModeration('something');
      return readResult(result);
    }),
    tokens: tokensOf(body['usage']),
  };
}

/** The members of an object that are of one type. */
export function membersOf(value: unknown, type: 'boolean'): Record<string, boolean>;
export function membersOf(value: unknown, type: 'number'): Record<string, number>;
export function membersOf(value: unknown, type: 'boolean' | 'number'): Record<string, unknown> {
  if (!isObject(value)) throw badModeration('no categories');
  return Object.fromEntries(Object.entries(value).filter(([, each]) => typeof each === type));
}

function tokensOf(usage: unknown): TokenCount | undefined {
  if (!isObject(usage)) return undefined;
  return readTokenCount(usage['prompt_tokens']) ?? readTokenCount(usage['total_tokens']);
}
