import { invalidRequest } from '../errors/gateway-error.js';

/** Deeper nesting than any real request has, and far below what recursion can take. */
export const MAX_DEPTH = 64;

/**
 * Refuses a parsed body nested deeper than MAX_DEPTH, before any validator or mapping recurses into it. One linear
 * walk; its own recursion ends at the bound.
 */
export function assertDepth(value: unknown): void {
  if (exceedsDepth(value, MAX_DEPTH)) {
    throw invalidRequest(
      `The request body is nested deeper than ${MAX_DEPTH} levels. Flatten it.`,
      null,
      'too_deeply_nested',
    );
  }
}

function exceedsDepth(value: unknown, remaining: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (remaining === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (exceedsDepth(item, remaining - 1)) return true;
    return false;
  }
  for (const key in value) {
    if (exceedsDepth((value as Record<string, unknown>)[key], remaining - 1)) return true;
  }
  return false;
}
