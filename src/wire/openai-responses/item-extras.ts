import type { Extras } from '../../operations/chat/canonical/blocks.js';
import type { JsonObject } from '../../runtime/json-value.js';

export const RESPONSES = 'openai-responses';

/** Extras of this format, without members that are undefined; nothing where there are none. */
export function extrasOf(members: JsonObject): { extras: Extras } | undefined {
  const kept = Object.entries(members).filter(([, value]) => value !== undefined && value !== null);
  return kept.length === 0 ? undefined : { extras: { [RESPONSES]: Object.fromEntries(kept) } };
}

/** A member of this format's extras. */
export function extra(holder: { readonly extras?: Extras } | undefined, name: string): unknown {
  return holder?.extras?.[RESPONSES]?.[name];
}

/** Members of this format's extras; none where it has none. */
export function allExtras(holder: { readonly extras?: Extras }): Readonly<JsonObject> {
  return holder.extras?.[RESPONSES] ?? {};
}
