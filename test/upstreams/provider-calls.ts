import type { ChatCompletionChunk, ChatRequest } from '../../src/operations/chat/chat-completion.js';
import { toChunks, type StreamedChunk } from '../../src/operations/chat/preserialized-chunk.js';
import { GatewayError } from '../../src/errors/gateway-error.js';
import type { ProviderCall } from '../../src/providers/provider.js';

export const TEXT = 'Grüße, 世界 🌍!  Two  spaces\nand a line.';
export const TIMEOUTS = { connect: 1000, firstByte: 2000, idle: 2000, total: 60_000 };

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
