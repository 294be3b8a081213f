import type { ChatCompletionChunk, ChatRequest } from '../../src/operations/chat/chat-completion.js';
import { toChunks, type StreamedChunk } from '../../src/operations/chat/preserialized-chunk.js';
import { GatewayError } from '../../src/errors/gateway-error.js';
import type { ProviderCall } from '../../src/providers/provider.js';

export const TEXT = 'Grüße, 世界 🌍!  Two  spaces\nand a line.';
/** Longer than a busy machine delays a provider that works; a test of a timeout has a shorter one of its own. */
export const TIMEOUTS = { connect: 30_000, firstByte: 60_000, idle: 60_000, total: 300_000 };

/** A call that makes the upstream behave as `model` says. */
export function call(
  model: string,
  request: Partial<ChatRequest> = {},
  rest: Partial<ProviderCall> = {},
): ProviderCall {
  return {
    request: { model: 'client-model', messages: [{ role: 'user', content: TEXT }], ...request },
    upstreamModel: model,
    timeouts: TIMEOUTS,
    requestId: 'req-1',
    headers: {},
    signal: new AbortController().signal,
    ...rest,
  };
}

export async function read(stream: AsyncIterable<readonly StreamedChunk[]>): Promise<ChatCompletionChunk[]> {
  const chunks: ChatCompletionChunk[] = [];
  for await (const group of stream) chunks.push(...toChunks(group));
  return chunks;
}

/** The GatewayError that a call ends with, whether before or in the middle of its stream. */
export async function failure(promise: Promise<unknown>): Promise<GatewayError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('the call did not fail');
}
