import type { GatewayError } from '../../errors/gateway-error.js';
import type {
  CanonicalChunk,
  CanonicalResult,
  FinishReason,
} from '../../operations/chat/canonical/canonical-result.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { OPENAI_CHAT } from '../openai-chat/openai-chat-wire.js';
import { DONE_FRAME, encodeError, PING_COMMENT } from '../sse/sse-encoder.js';
import type { StreamWriter, WireFormat, WriteContext } from '../wire-format.js';
import { RECOVERED } from '../../operations/chat/spliced-chunk.js';
import { writeUsage } from '../openai-chat/canonical-usage.js';
import { nativeOnly } from './native-only.js';
import { CompletionReader, readResponse } from './read-completion.js';
import { COMPLETIONS, readRequest } from './read-request.js';

const MS_PER_SECOND = 1_000;

/** OpenAI's legacy completions, as clients see them. Providers without them get the prompt as a chat. */
export const OPENAI_COMPLETIONS: WireFormat = {
  ...OPENAI_CHAT,
  name: COMPLETIONS,
  readRequest,
  nativeOnly,
  endFrame: DONE_FRAME,
  readResponse,
  readStream: (context) => new CompletionReader(context),
  writeResponse,
  writeStream: (context) => new CompletionWriter(context),
};

function writeResponse(result: CanonicalResult, context: WriteContext): JsonObject {
  return {
    ...headOf(context, result.model),
    choices: result.choices.map(({ blocks, finish }, index) => ({
      text: blocks.map((block) => (block.type === 'text' || block.type === 'refusal' ? block.text : '')).join(''),
      index,
      logprobs: null,
      finish_reason: writeFinish(finish),
    })),
    ...(result.usage !== undefined && { usage: writeUsage(result.usage) }),
  };
}

function headOf({ requestId, now, model }: WriteContext, upstreamModel: string | undefined): JsonObject {
  return {
    id: `cmpl-${requestId.replace(/[^\w-]/g, '')}`,
    object: 'text_completion',
    created: Math.floor(now / MS_PER_SECOND),
    model: upstreamModel ?? model,
  };
}

function writeFinish(reason: FinishReason): string {
  if (reason === 'length' || reason === 'context_length') return 'length';
  return reason === 'content_filter' || reason === 'refusal' ? 'content_filter' : 'stop';
}

/** One chunk for each piece of text, and at the end one for each choice, of which the last has the usage. */
class CompletionWriter implements StreamWriter {
  private model: string | undefined;
  /** Blocks whose text is a part of the completion. */
  private readonly texts = new Set<string>();
  private readonly finished: JsonObject[] = [];
  private usage: JsonObject | undefined;
  /** What the last chunk says beside it. */
  private more: JsonObject = {};

  constructor(private readonly context: WriteContext) {}

  write(chunks: readonly CanonicalChunk[]): string {
    return chunks.map((chunk) => this.writeChunk(chunk)).join('');
  }

  ping(): string {
    return PING_COMMENT;
  }

  end(): string {
    const last = this.finished.pop();
    const chunks = this.finished.map((choice) => this.frame(choice));
    if (last !== undefined)
      chunks.push(this.frame(last, { ...this.more, ...(this.usage !== undefined && { usage: this.usage }) }));
    return chunks.join('') + DONE_FRAME;
  }

  error(error: GatewayError): string {
    return encodeError(error);
  }

  private writeChunk(chunk: CanonicalChunk): string {
    switch (chunk.type) {
      case 'start':
        this.model = chunk.model;
        return '';
      case 'block_start':
        if (chunk.block.type === 'text' || chunk.block.type === 'refusal') this.texts.add(placeOf(chunk));
        return '';
      case 'delta':
        if (!this.texts.has(placeOf(chunk)) || chunk.text === '') return '';
        return this.frame({ text: chunk.text, index: chunk.choice, logprobs: null, finish_reason: null });
      case 'finish':
        this.finished.push({
          text: '',
          index: chunk.choice,
          logprobs: null,
          finish_reason: writeFinish(chunk.reason),
        });
        return '';
      case 'usage':
        this.usage = { ...writeUsage(chunk.usage) };
        return '';
      case 'extras': {
        const recovered = chunk.extras['openai-chat']?.[RECOVERED];
        if (recovered !== undefined) this.more = { [RECOVERED]: recovered };
        return '';
      }
      default:
        return '';
    }
  }

  private frame(choice: JsonObject, more?: JsonObject): string {
    const body = { ...headOf(this.context, this.model), choices: [choice], ...more };
    return `data: ${JSON.stringify(body)}\n\n`;
  }
}

function placeOf({ choice, index }: { readonly choice: number; readonly index: number }): string {
  return `${choice}:${index}`;
}
