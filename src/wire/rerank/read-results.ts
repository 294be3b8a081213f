import { readTokenCount } from '../../runtime/token-count.js';
import { upstreamError, type GatewayError } from '../../errors/gateway-error.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import type { RankedDocument, RerankUsage } from '../../operations/rerank/rerank-result.js';
import type { DocumentGroup } from './rerank-wire.js';

/** More search units than any call has. */
const MAX_UNITS = 1_000_000;

/** 502: a response with status 200 that does not contain scores. */
export function badScores(what: string): GatewayError {
  return upstreamError({ message: `The upstream provider answered with ${what} instead of scores.` });
}

/** @throws GatewayError `upstream_error` for text that is not whole JSON */
export function parseResponse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw badScores('something that is not whole JSON');
  }
}

/**
 * A list of `{index, <score>}`, each document at most once.
 *
 * @param scoreNames names under which the provider gives the score
 * @throws GatewayError `upstream_error`
 */
export function readResults(value: unknown, group: DocumentGroup, ...scoreNames: readonly string[]): RankedDocument[] {
  if (!Array.isArray(value)) throw badScores('no list');
  const seen = new Set<number>();
  return (value as readonly unknown[]).map((item) => {
    if (!isObject(item)) throw badScores('something');
    const { index } = item;
    const score = scoreNames.map((name) => item[name]).find((each) => typeof each === 'number');
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= group.count) {
      throw badScores('a document that was not in the request');
    }
    if (seen.has(index)) throw badScores('one document twice');
    if (typeof score !== 'number' || !Number.isFinite(score)) throw badScores('no number');
    seen.add(index);
    return { index: group.first + index, score };
  });
}

/** Usage as Jina, Voyage and vLLM report it in `usage`, and Cohere in `meta.billed_units`. */
export function readUsage({ usage, meta }: JsonObject): RerankUsage {
  const counts = isObject(usage) ? usage : {};
  const units = isObject(meta) && isObject(meta['billed_units']) ? meta['billed_units'] : {};
  const searches = units['search_units'];
  const isCount = typeof searches === 'number' && searches >= 0 && searches <= MAX_UNITS;
  return {
    tokens:
      readTokenCount(counts['total_tokens']) ??
      readTokenCount(counts['prompt_tokens']) ??
      readTokenCount(units['input_tokens']),
    searchUnits: isCount ? searches : undefined,
  };
}
