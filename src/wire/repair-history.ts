import type {
  CanonicalBlock,
  CanonicalMessage,
  ToolCallBlock,
  ToolResultBlock,
} from '../operations/chat/canonical/blocks.js';

const MISSING_RESULT = 'No result was recorded for this call.';

/**
 * A history that every provider takes: ids of calls are unique, and each call has one result, right after its turn and in the order
 * of the calls. Clients shorten histories, repeat ids and put text between; a result whose call is gone becomes text of the user.
 * Calls of the last turn stay without results where nothing follows them.
 */
export function repairHistory(messages: readonly CanonicalMessage[]): readonly CanonicalMessage[] {
  const repaired: CanonicalMessage[] = [];
  const used = new Set<string>();
  for (let at = 0; at < messages.length;) {
    let end = at + 1;
    while (end < messages.length && messages[end]?.role !== 'assistant') end += 1;
    const [first, ...rest] = messages.slice(at, end);
    if (first?.role === 'assistant') repairTurn(first, rest, end === messages.length, used, repaired);
    else for (const message of messages.slice(at, end)) repaired.push(withoutOrphans(message, new Map()));
    at = end;
  }
  return repaired;
}

function repairTurn(
  turn: CanonicalMessage,
  rest: readonly CanonicalMessage[],
  isLast: boolean,
  used: Set<string>,
  out: CanonicalMessage[],
): void {
  const ids = new Map<string, string>();
  const calls: ToolCallBlock[] = [];
  const blocks = turn.blocks.map((block): CanonicalBlock => {
    if (block.type !== 'tool_call') return block;
    const id = uniqueId(block.id, used);
    // Of two calls with one id in the same turn, the first gets the result that names it.
    if (!ids.has(block.id)) ids.set(block.id, id);
    const call = id === block.id ? block : { ...block, id };
    calls.push(call);
    return call;
  });
  out.push(calls.length === 0 ? turn : { ...turn, blocks });
  if (calls.length > 0 && (rest.length > 0 || !isLast)) {
    const results = new Map<string, ToolResultBlock>();
    for (const { blocks: content } of rest) {
      for (const block of content) {
        const id = block.type === 'tool_result' ? ids.get(block.callId) : undefined;
        if (block.type === 'tool_result' && id !== undefined && !results.has(id)) {
          results.set(id, id === block.callId ? block : { ...block, callId: id });
        }
      }
    }
    out.push({ role: 'tool', blocks: calls.map((call) => results.get(call.id) ?? missingResult(call)) });
  }
  for (const message of rest) {
    const kept = withoutOrphans(message, ids);
    if (kept.blocks.length > 0) out.push(kept);
  }
}

function uniqueId(id: string, used: Set<string>): string {
  let unique = id === '' ? 'call' : id;
  for (let number = 2; used.has(unique); number += 1) unique = `${id}_${number}`;
  used.add(unique);
  return unique;
}

function missingResult({ id, kind }: ToolCallBlock): ToolResultBlock {
  return { type: 'tool_result', callId: id, kind, content: [{ type: 'text', text: MISSING_RESULT }], isError: true };
}

/** The message without the results of known calls, which stand elsewhere; other results become text. */
function withoutOrphans(message: CanonicalMessage, known: ReadonlyMap<string, string>): CanonicalMessage {
  if (!message.blocks.some(({ type }) => type === 'tool_result')) return message;
  const blocks = message.blocks.flatMap((block): readonly CanonicalBlock[] => {
    if (block.type !== 'tool_result') return [block];
    return known.has(block.callId) ? [] : orphan(block);
  });
  return { ...message, role: message.role === 'tool' ? 'user' : message.role, blocks };
}

function orphan({ content }: ToolResultBlock): CanonicalBlock[] {
  return [{ type: 'text', text: 'Result of an earlier tool call:' }, ...content];
}
