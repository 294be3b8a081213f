import { upstreamError } from '../../errors/gateway-error.js';
import type { CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import type { ChatCompletionChunk, ChatRequest } from '../../operations/chat/chat-completion.js';
import { assertMessages } from '../../operations/chat/chat-messages.js';
import { toChunks, type StreamedChunk } from '../../operations/chat/preserialized-chunk.js';
import { DONE_FRAME, encodeChunk, encodeError, PING_COMMENT } from '../sse/sse-encoder.js';
import type { ReadContext, StreamReader, StreamWriter, WireEvent, WireFormat, WriteContext } from '../wire-format.js';
import { ChunkReader } from './chunk-reader.js';
import { ChunkWriter } from './chunk-writer.js';
import { normaliseCompletion } from './normalise-completion.js';
import { readRequest } from './read-request.js';
import { readResult } from './read-result.js';
import { StreamNormaliser } from './stream-normaliser.js';
import { writeRequest } from './write-request.js';
import { writeResult } from './write-result.js';

/** OpenAI's chat completions. */
export const OPENAI_CHAT: WireFormat = {
  name: 'openai-chat',
  readRequest: (body) => {
    assertMessages(body['messages']);
    return readRequest(body as ChatRequest);
  },
  writeRequest,
  readResponse: (body, context) => readResult(normaliseCompletion(body, context)),
  writeResponse: (result, context) => writeResult(result, context),
  readStream: (context) => new OpenAiChatReader(context),
  writeStream: (context) => new OpenAiChatWriter(context),
  writeError: (error) => ({ ...error.toBody() }),
};

class OpenAiChatReader implements StreamReader {
  private readonly normaliser: StreamNormaliser;
  private readonly chunks = new ChunkReader();

  constructor(context: ReadContext) {
    this.normaliser = new StreamNormaliser({ ...context, expectedChoices: 1 });
  }

  get isWhole(): boolean {
    return this.normaliser.whole;
  }

  get isDone(): boolean {
    return this.normaliser.done;
  }

  read({ event, data }: WireEvent, out: CanonicalChunk[]): void {
    const group: StreamedChunk[] = [];
    this.normaliser.push({ event, data }, group);
    for (const chunk of toChunks(group)) this.chunks.read(chunk, out);
  }

  end(out: CanonicalChunk[]): void {
    const group: StreamedChunk[] = [];
    this.normaliser.end(group);
    for (const chunk of toChunks(group)) this.chunks.read(chunk, out);
    if (!this.chunks.isWhole) throw upstreamError({ message: 'The upstream provider ended the stream too early.' });
    this.chunks.end(out);
  }
}

class OpenAiChatWriter implements StreamWriter {
  private readonly chunks: ChunkWriter;

  constructor(private readonly context: WriteContext) {
    this.chunks = new ChunkWriter(context);
  }

  write(chunks: readonly CanonicalChunk[]): string {
    const out: ChatCompletionChunk[] = [];
    for (const chunk of chunks) this.chunks.write(chunk, out);
    const { includesUsage } = this.context;
    return out.map((chunk) => (includesUsage || chunk.choices.length > 0 ? encodeChunk(chunk) : '')).join('');
  }

  ping(): string {
    return PING_COMMENT;
  }

  end(): string {
    return DONE_FRAME;
  }

  error(error: Parameters<StreamWriter['error']>[0]): string {
    return encodeError(error);
  }
}
