import type { CanonicalBlock } from '../operations/chat/canonical/blocks.js';
import type { CanonicalChunk, CanonicalResult } from '../operations/chat/canonical/canonical-result.js';

type Names = ReadonlyMap<string, string> | undefined;

/** Tools by the names that the client gave them, which were changed for a provider's alphabet. */
export function withClientNames(chunks: readonly CanonicalChunk[], names: Names): readonly CanonicalChunk[] {
  if (names === undefined) return chunks;
  return chunks.map((chunk) => {
    if (chunk.type !== 'block_start' || chunk.block.type !== 'tool_call') return chunk;
    const name = names.get(chunk.block.name);
    return name === undefined ? chunk : { ...chunk, block: { ...chunk.block, name } };
  });
}

/** The same for a whole response. */
export function resultWithClientNames(result: CanonicalResult, names: Names): CanonicalResult {
  if (names === undefined) return result;
  const renamed = (block: CanonicalBlock): CanonicalBlock => {
    const name = block.type === 'tool_call' ? names.get(block.name) : undefined;
    return block.type === 'tool_call' && name !== undefined ? { ...block, name } : block;
  };
  return { ...result, choices: result.choices.map((choice) => ({ ...choice, blocks: choice.blocks.map(renamed) })) };
}
