import { CHARACTERS_PER_TOKEN } from '../operations/text-tokens.js';
import type { CanonicalChunk, CanonicalResult, CanonicalUsage } from '../operations/chat/canonical/canonical-result.js';

/** Clients fail, or ask again and again, where a response has no usage. Servers of open models often report none. */
export class UsageEstimate {
  private characters = 0;
  private isReported = false;

  /** @param inputTokens an estimate of the prompt */
  constructor(private readonly inputTokens: () => number) {}

  /** @returns the chunks, with an estimate before the end of a stream that reports no usage */
  read(chunks: readonly CanonicalChunk[]): readonly CanonicalChunk[] {
    for (const chunk of chunks) {
      if (chunk.type === 'usage') this.isReported = true;
      else if (chunk.type === 'delta') this.characters += chunk.text.length;
    }
    const end = this.isReported ? -1 : chunks.findIndex(({ type }) => type === 'end');
    return end === -1 ? chunks : [...chunks.slice(0, end), ...this.rest(), ...chunks.slice(end)];
  }

  /** The bytes that are missing after the last chunk. */
  rest(): readonly CanonicalChunk[] {
    if (this.isReported) return [];
    this.isReported = true;
    return [{ type: 'usage', usage: usageOf(this.inputTokens(), this.characters) }];
  }
}

/** The same for a whole response. */
export function withUsage(result: CanonicalResult, inputTokens: () => number): CanonicalResult {
  if (result.usage !== undefined) return result;
  let characters = 0;
  for (const { blocks } of result.choices) {
    for (const block of blocks) {
      if (block.type === 'tool_call') characters += block.input.length;
      else if ('text' in block) characters += block.text.length;
    }
  }
  return { ...result, usage: usageOf(inputTokens(), characters) };
}

function usageOf(inputTokens: number, characters: number): CanonicalUsage {
  return { inputTokens, outputTokens: Math.ceil(characters / CHARACTERS_PER_TOKEN) };
}
