import { upstreamError } from '../../errors/gateway-error.js';
import type { CanonicalChunk, CanonicalResult } from '../../operations/chat/canonical/canonical-result.js';
import { printExact } from '../../runtime/exact-integers.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { parseWithExactArguments } from '../exact-arguments.js';
import { OPENAI_CHAT } from '../openai-chat/openai-chat-wire.js';
import type { ReadContext, StreamReader, WireEvent } from '../wire-format.js';

/** A whole completion: its text is that of a message. @throws GatewayError where it is none */
export function readResponse(body: unknown, context: ReadContext): CanonicalResult {
  if (!isObject(body)) throw upstreamError({ message: 'The upstream provider answered with no JSON object.' });
  return OPENAI_CHAT.readResponse(asChat(body, 'message'), context);
}

/** Chunks of a completion: their text is that of a delta. */
export class CompletionReader implements StreamReader {
  private readonly chat: StreamReader;

  constructor(context: ReadContext) {
    this.chat = OPENAI_CHAT.readStream(context);
  }

  get isWhole(): boolean {
    return this.chat.isWhole;
  }

  get isDone(): boolean {
    return this.chat.isDone;
  }

  read({ event, data }: WireEvent, out: CanonicalChunk[]): void {
    this.chat.read({ event, data: dataOf(data) }, out);
  }

  end(out: CanonicalChunk[]): void {
    this.chat.end(out);
  }
}

/** The chunk as one of chat; what is no chunk is left to the reader of chat. */
function dataOf(data: string): string {
  if (!data.startsWith('{')) return data;
  let body: unknown;
  try {
    body = parseWithExactArguments(data);
  } catch {
    return data;
  }
  return isObject(body) && Array.isArray(body['choices']) ? printExact(asChat(body, 'delta')) : data;
}

function asChat(body: JsonObject, member: 'message' | 'delta'): JsonObject {
  const { choices, object: _object, ...rest } = body;
  if (!Array.isArray(choices)) return body;
  return {
    ...rest,
    choices: choices.map((choice: unknown) => {
      if (!isObject(choice)) return choice;
      // Their log probabilities have another form than those of chat, and reach the client in the provider's own response.
      const { text, logprobs: _logprobs, ...others } = choice;
      const content = typeof text === 'string' ? text : '';
      return { ...others, [member]: { role: 'assistant', content } };
    }),
  };
}
