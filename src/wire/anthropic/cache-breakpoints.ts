import { fieldName } from '../../operations/chat/canonical/canonical-fields.js';
import type { CacheHint } from '../../operations/chat/canonical/blocks.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import type { DroppedFields } from '../dropped-fields.js';
import type { WireName } from '../../operations/chat/canonical/wire-name.js';

/** Breakpoints that one request may have. */
const MAX_BREAKPOINTS = 4;

/** `cache_control` of a block that has a hint. */
export function cacheControl(cache: CacheHint | undefined): { cache_control?: JsonObject } {
  if (cache === undefined) return {};
  return { cache_control: { type: 'ephemeral', ...(cache.ttl !== undefined && { ttl: cache.ttl }) } };
}

interface Options {
  readonly client: WireName;
  readonly takesTtl: boolean;
  readonly dropped: DroppedFields;
}

/**
 * Holds the breakpoints of a body to Anthropic's rules: at most four, and none for an hour behind one for five minutes. The
 * first stays, which covers tools or the system prompt, and the last, which cover the most. Changes the body.
 */
export function limitBreakpoints(body: JsonObject, { client, takesTtl, dropped }: Options): void {
  const carriers = [...listOf(body['tools']), ...listOf(body['system']), ...messageBlocks(body)].filter(
    (block) => block['cache_control'] !== undefined,
  );
  const most = MAX_BREAKPOINTS - (body['cache_control'] === undefined ? 0 : 1);
  const kept = carriers.length <= most ? carriers : [...carriers.slice(0, 1), ...carriers.slice(1 - most)];
  const keptSet = new Set(kept);
  for (const carrier of carriers) if (!keptSet.has(carrier)) delete carrier['cache_control'];
  if (kept.length < carriers.length) dropped.drop('cacheHints');
  limitTtl([...kept, body], takesTtl, () => {
    dropped.dropNamed(`${fieldName('cacheHints', client)}.ttl`);
  });
}

function limitTtl(carriers: readonly JsonObject[], takesTtl: boolean, onDrop: () => void): void {
  let isShort = false;
  for (const carrier of carriers) {
    const control = carrier['cache_control'];
    if (!isObject(control)) continue;
    const { ttl } = control;
    const isKnown = takesTtl && (ttl === '5m' || (ttl === '1h' && !isShort));
    if (ttl !== undefined && !isKnown) {
      delete control['ttl'];
      // Five minutes is the default.
      if (ttl !== '5m') onDrop();
    }
    if (control['ttl'] !== '1h') isShort = true;
  }
}

function messageBlocks(body: JsonObject): JsonObject[] {
  return listOf(body['messages']).flatMap(({ content }) =>
    listOf(content).flatMap((block) =>
      block['type'] === 'tool_result' ? [...listOf(block['content']), block] : [block],
    ),
  );
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
