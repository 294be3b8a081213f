/** Fields that say who asks, or help to route: the gateway reads them, and nothing is lost where a provider does not. */
const IDENTIFYING = new Set(['user', 'safety_identifier', 'prompt_cache_key', 'prompt_cache_retention']);
/** Values by which a client asks for what would happen anyway. */
const DEFAULTS: Readonly<Record<string, (value: unknown) => boolean>> = {
  store: (value) => value === false,
  logprobs: (value) => value === false,
  parallel_tool_calls: (value) => value === true,
  service_tier: (value) => value === 'auto' || value === 'default',
  modalities: (value) => Array.isArray(value) && value.every((item) => item === 'text'),
  logit_bias: (value) => typeof value === 'object' && value !== null && Object.keys(value).length === 0,
  verbosity: (value) => value === 'medium',
  presence_penalty: (value) => value === 0,
  frequency_penalty: (value) => value === 0,
};

/** Whether a parameter asks for the default, so that a provider that does not know it need not get it. */
export function asksForDefault(name: string, value: unknown): boolean {
  return value === undefined || value === null || (Object.hasOwn(DEFAULTS, name) && DEFAULTS[name]?.(value) === true);
}

/** Whether nothing is lost for the client when a provider does not get a parameter. */
export function isIgnorable(name: string, value: unknown): boolean {
  return IDENTIFYING.has(name) || asksForDefault(name, value);
}

/** The stop sequences that a provider takes, and the names of those beyond its limit. */
export function limitStops(
  stop: readonly string[],
  limit: number | undefined,
): { readonly stops: string[]; readonly dropped: string[] } {
  const most = limit ?? stop.length;
  return { stops: stop.slice(0, most), dropped: stop.slice(most).map((_, index) => `stop[${most + index}]`) };
}
