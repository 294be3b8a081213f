import type { Principal } from './principal.js';

/** Whether the key may call a model: `fast` allows that id, `openai/*` every id that begins with `openai/`. */
export function mayCallModel({ allowedModels }: Principal, modelId: string): boolean {
  if (allowedModels === null) return true;
  return allowedModels.some((allowed) => coversModel(allowed, modelId));
}

/** Whether everything that `inner` allows is allowed by `outer` as well. */
export function coversModel(outer: string, inner: string): boolean {
  if (outer === '*' || outer === inner) return true;
  return outer.endsWith('/*') && inner.startsWith(outer.slice(0, -1));
}
