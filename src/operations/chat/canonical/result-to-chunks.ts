import type { CanonicalBlock } from './blocks.js';
import type { CanonicalChunk, CanonicalResult } from './canonical-result.js';

/** A whole response as the chunks of a stream, for a client that asked for one. */
export function resultToChunks({ id, model, created, choices, usage, extras }: CanonicalResult): CanonicalChunk[] {
  const chunks: CanonicalChunk[] = [
    {
      type: 'start',
      ...(id !== undefined && { id }),
      ...(model !== undefined && { model }),
      ...(created !== undefined && { created }),
    },
  ];
  choices.forEach(({ blocks, finish, stopSequence, logprobs, extras: own }, choice) => {
    blocks.forEach((block, index) => pushBlock(chunks, block, choice, index));
    if (logprobs !== undefined) chunks.push({ type: 'logprobs', choice, logprobs });
    chunks.push({
      type: 'finish',
      choice,
      reason: finish,
      ...(stopSequence !== undefined && { stopSequence }),
      ...(own !== undefined && { extras: own }),
    });
  });
  if (extras !== undefined) chunks.push({ type: 'extras', extras });
  if (usage !== undefined) chunks.push({ type: 'usage', usage });
  chunks.push({ type: 'end' });
  return chunks;
}

function pushBlock(chunks: CanonicalChunk[], block: CanonicalBlock, choice: number, index: number): void {
  const isReadable = block.type === 'thinking' ? block.isRedacted !== true : true;
  if (block.type === 'text' || block.type === 'refusal' || (block.type === 'thinking' && isReadable)) {
    chunks.push({ type: 'block_start', choice, index, block: { type: block.type } });
    if (block.text !== '') chunks.push({ type: 'delta', choice, index, text: block.text });
  } else if (block.type === 'tool_call') {
    const { id, name, kind, input } = block;
    chunks.push({ type: 'block_start', choice, index, block: { type: 'tool_call', id, name, kind } });
    if (input !== '') chunks.push({ type: 'delta', choice, index, text: input });
  } else {
    chunks.push({ type: 'block_start', choice, index, block: { type: 'whole', block } });
    chunks.push({ type: 'block_end', choice, index });
    return;
  }
  if ('signature' in block && block.signature !== undefined) {
    chunks.push({ type: 'signature', choice, index, signature: block.signature });
  }
  if (block.extras !== undefined) chunks.push({ type: 'block_extras', choice, index, extras: block.extras });
  chunks.push({ type: 'block_end', choice, index });
}
