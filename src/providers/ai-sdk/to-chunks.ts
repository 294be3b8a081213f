import { restoreIntegers } from '../../runtime/exact-integers.js';
import type { LanguageModelV3StreamPart, SharedV3ProviderMetadata, SharedV3Warning } from '@ai-sdk/provider';
import type {
  ChatCompletionChunk,
  Delta,
  FinishReason,
  ToolCallDelta,
  Usage,
} from '../../operations/chat/chat-completion.js';
import { upstreamError } from '../../errors/gateway-error.js';
import { nonEmptyString } from '../../runtime/json-value.js';
import { createdSeconds, newCompletionId } from '../../wire/openai-chat/generated-ids.js';
import type { Redact } from '../../wire/errors/redact.js';
import { toThinkingBlock } from './thinking-blocks.js';
import { toExtraContent } from './thought-signature.js';
import { toAnnotation, toImage } from './to-completion.js';
import { toFinishReason } from './to-finish-reason.js';
import { toGatewayError } from './to-gateway-error.js';
import { toUsage } from './to-usage.js';

/**
 * What every chunk of a stream begins with, whichever choice it belongs to. The provider's own id and model are taken
 * until the first chunk has gone out; after that nothing may change.
 */
export class StreamHead {
  private id: string | undefined;
  private model: string;
  private created: number;
  private isFixed = false;

  /** @param now epoch milliseconds */
  constructor(
    upstreamModel: string,
    private readonly now: number,
  ) {
    this.model = upstreamModel;
    this.created = createdSeconds(undefined, now);
  }

  learn(id: string | undefined, model: string | undefined, timestamp: Date | undefined): void {
    if (this.isFixed) return;
    this.id ??= nonEmptyString(id);
    this.model = nonEmptyString(model) ?? this.model;
    if (timestamp !== undefined) this.created = createdSeconds(timestamp.getTime() / 1000, this.now);
  }

  chunk(choices: ChatCompletionChunk['choices'], usage?: Usage): ChatCompletionChunk {
    this.isFixed = true;
    this.id ??= newCompletionId();
    return {
      id: this.id,
      object: 'chat.completion.chunk',
      created: this.created,
      model: this.model,
      choices,
      ...(usage !== undefined && { usage }),
    };
  }
}

interface OpenToolCall {
  readonly index: number;
  hasArguments: boolean;
  hasExtra: boolean;
}

interface OpenReasoning {
  text: string;
  metadata: SharedV3ProviderMetadata;
}

/** The parts of one language model's stream as the chunks of one choice, in the contract's order. */
export class ChoiceChunks {
  /** Known at the end, and only where the provider counted. */
  usage: Usage | undefined;
  /** What the package says of the request, before its first event. */
  warnings: readonly SharedV3Warning[] = [];
  private hasBegun = false;
  private isFinished = false;
  private readonly toolCalls = new Map<string, OpenToolCall>();
  private readonly reasoning = new Map<string, OpenReasoning>();

  constructor(
    private readonly index: number,
    private readonly head: StreamHead,
    private readonly redact: Redact,
  ) {}

  /** Whether the provider has said how the choice ended. */
  get finished(): boolean {
    return this.isFinished;
  }

  /** @throws GatewayError for an error in the stream, or a generation that ended early */
  push(part: LanguageModelV3StreamPart): ChatCompletionChunk[] {
    switch (part.type) {
      case 'stream-start':
        this.warnings = part.warnings;
        return [];
      case 'response-metadata':
        this.head.learn(part.id, part.modelId, part.timestamp);
        return [];
      case 'text-delta':
        return part.delta === '' ? [] : [this.delta({ content: part.delta })];
      case 'reasoning-start':
      case 'reasoning-delta':
        return this.reason(part.id, part.type === 'reasoning-delta' ? part.delta : '', part.providerMetadata);
      case 'reasoning-end':
        return this.endReasoning(part.id, part.providerMetadata);
      case 'tool-input-start':
        return part.providerExecuted === true ? [] : this.beginToolCall(part.id, part.toolName, part.providerMetadata);
      case 'tool-input-delta':
        return this.toolArguments(part.id, part.delta);
      case 'tool-call':
        return part.providerExecuted === true ? [] : this.wholeToolCall(part);
      case 'source': {
        const annotation = toAnnotation(part);
        return annotation === undefined ? [] : [this.delta({ annotations: [annotation] })];
      }
      case 'file': {
        const image = toImage(part.mediaType, part.data);
        return image === undefined ? [] : [this.delta({ images: [image] })];
      }
      case 'finish':
        this.usage = toUsage(part.usage);
        return this.finish(toFinishReason(part.finishReason, this.toolCalls.size > 0));
      case 'error':
        throw toGatewayError(part.error, this.redact, Date.now());
      case 'text-start':
      case 'text-end':
      case 'tool-input-end':
      case 'tool-result':
      case 'tool-approval-request':
      case 'raw':
        return [];
    }
  }

  /** The provider's stream is over. @throws GatewayError when the choice is not */
  end(): void {
    if (!this.isFinished) throw endedEarly();
  }

  private delta(delta: Delta, finishReason: FinishReason | null = null): ChatCompletionChunk {
    const begun = this.hasBegun;
    this.hasBegun = true;
    const first: Delta = { role: 'assistant', content: delta.tool_calls === undefined ? '' : null };
    return this.head.chunk([
      {
        index: this.index,
        delta: begun ? delta : { ...first, ...delta },
        logprobs: null,
        finish_reason: finishReason,
      },
    ]);
  }

  private reason(id: string, text: string, metadata: SharedV3ProviderMetadata | undefined): ChatCompletionChunk[] {
    let open = this.reasoning.get(id);
    if (open === undefined) {
      open = { text: '', metadata: {} };
      this.reasoning.set(id, open);
    }
    open.text += text;
    Object.assign(open.metadata, metadata);
    return text === '' ? [] : [this.delta({ reasoning_content: text })];
  }

  private endReasoning(id: string, metadata: SharedV3ProviderMetadata | undefined): ChatCompletionChunk[] {
    const open = this.reasoning.get(id);
    if (open === undefined) return [];
    this.reasoning.delete(id);
    const block = toThinkingBlock(open.text, { ...open.metadata, ...metadata });
    return block === undefined ? [] : [this.delta({ thinking_blocks: [block] })];
  }

  private beginToolCall(
    id: string,
    name: string,
    metadata: SharedV3ProviderMetadata | undefined,
  ): ChatCompletionChunk[] {
    if (this.toolCalls.has(id)) return [];
    const extra = toExtraContent(metadata);
    const call: OpenToolCall = { index: this.toolCalls.size, hasArguments: false, hasExtra: extra !== undefined };
    this.toolCalls.set(id, call);
    const delta: ToolCallDelta = { index: call.index, id, type: 'function', function: { name, arguments: '' } };
    if (extra !== undefined) delta['extra_content'] = extra;
    return [this.delta({ tool_calls: [delta] })];
  }

  private toolArguments(id: string, text: string): ChatCompletionChunk[] {
    const call = this.toolCalls.get(id);
    if (call === undefined || text === '') return [];
    call.hasArguments = true;
    return [this.delta({ tool_calls: [{ index: call.index, function: { arguments: restoreIntegers(text) } }] })];
  }

  /** Comes after the pieces, or in their place; only what they did not say is added. */
  private wholeToolCall(part: Extract<LanguageModelV3StreamPart, { type: 'tool-call' }>): ChatCompletionChunk[] {
    const chunks = this.beginToolCall(part.toolCallId, part.toolName, part.providerMetadata);
    const call = this.toolCalls.get(part.toolCallId);
    if (call === undefined) return chunks;
    if (!call.hasArguments) chunks.push(...this.toolArguments(part.toolCallId, part.input));
    const extra = call.hasExtra ? undefined : toExtraContent(part.providerMetadata);
    if (extra !== undefined) {
      call.hasExtra = true;
      chunks.push(this.delta({ tool_calls: [{ index: call.index, extra_content: extra }] }));
    }
    return chunks;
  }

  private finish(reason: FinishReason | 'failed' | null): ChatCompletionChunk[] {
    if (reason === 'failed') throw upstreamError({ message: 'The upstream provider broke off the generation.' });
    // The packages end a stream that was cut with a finish that has no reason.
    if (reason === null) throw endedEarly();
    this.isFinished = true;
    const chunks = this.hasBegun ? [] : [this.delta({})];
    return [...chunks, this.delta({}, reason)];
  }
}

function endedEarly(): Error {
  return upstreamError({ message: 'The upstream provider ended its stream before the answer was whole.' });
}
