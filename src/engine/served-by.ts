import type { PreferredPlace } from '../operations/operation.js';

/** The deployment that responded. */
export interface ServedBy {
  /** The configured model. */
  readonly model: string;
  readonly provider: string;
  /** The model's id there; undefined where no provider was called. */
  readonly upstreamModel: string | undefined;
  /** Upstream calls that it took, 1 or more. */
  readonly attempts: number;
  /** Fields of the request that the provider does not support and did not receive; usually empty. */
  readonly droppedParams: readonly string[];
  /** `x-ratelimit-*`; undefined where nothing is limited. */
  readonly rateLimits: Readonly<Record<string, string>> | undefined;
  /** Headers of the provider's response that a client of the same format gets, such as `anthropic-ratelimit-*`; usually empty. */
  readonly providerHeaders: Readonly<Record<string, string>>;
}

/** The headers of a response that a hook gave, for which no provider was called. */
export function servedByHook(source: string, model: string): ServedBy {
  return {
    model,
    provider: source,
    upstreamModel: undefined,
    attempts: 0,
    droppedParams: [],
    rateLimits: undefined,
    providerHeaders: {},
  };
}

/** The deployment that responded, by the names of its provider. */
export function placeOf({ provider, upstreamModel }: ServedBy): PreferredPlace {
  return { provider, upstreamModel: upstreamModel ?? null };
}

/** Headers of the gateway's own limits, of which there are all or none. */
const OWN_LIMITS = 'x-ratelimit-';

/**
 * The headers of limits that a client gets. The gateway's own come before those of the provider: where the gateway has limited the
 * request, none of the same family is passed on, since two limits in one set of headers would say nothing of either.
 */
export function limitHeaders({
  rateLimits,
  providerHeaders,
}: Pick<ServedBy, 'rateLimits' | 'providerHeaders'>): Readonly<Record<string, string>> {
  let hasOwn = false;
  for (const name in rateLimits) hasOwn ||= name.startsWith(OWN_LIMITS);
  if (!hasOwn) return providerHeaders;
  const others = Object.entries(providerHeaders).filter(([name]) => !name.startsWith(OWN_LIMITS));
  return { ...Object.fromEntries(others), ...rateLimits };
}
