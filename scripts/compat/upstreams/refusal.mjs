/** A request that the provider would refuse, in the provider's own words. */
export class Refusal extends Error {
  /**
   * @param {string} message as the provider writes it
   * @param {{ status?: number, type?: string, code?: string | null, param?: string | null, retryAfterSeconds?: number }} [details]
   */
  constructor(message, details = {}) {
    super(message);
    this.status = details.status ?? 400;
    this.type = details.type;
    this.code = details.code ?? null;
    this.param = details.param ?? null;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/**
 * @param {unknown} condition
 * @param {string} message
 * @param {ConstructorParameters<typeof Refusal>[1]} [details]
 */
export function require(condition, message, details) {
  if (!condition) throw new Refusal(message, details);
}

/** @returns {value is Record<string, any>} */
export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {string} names separated by spaces */
export function namesOf(names) {
  return new Set(names.split(/\s+/));
}

/**
 * The first key of a value that is not in the set.
 * @param {Record<string, unknown>} value
 * @param {Set<string>} known
 */
export function unknownKey(value, known) {
  return Object.keys(value).find((key) => !known.has(key));
}
