import type { ChatCompletionChunk, ChunkChoice, FinishReason } from '../../operations/chat/chat-completion.js';
import { isObject, JsonObject } from '../../runtime/json-value.js';
import { flattenContent } from './flatten-content.js';
import { ToolCallDeltas } from './tool-call-deltas.js';

/** The fields that every chunk of a stream begins with. */
export interface Envelope {
  id: string;
  object: 'chat.completion.chunk';
  created: number;
  model: string;
}

interface HeldFinish {
  /** Members of the chunk with the finish reason; choices that finish in one chunk share them. */
  readonly fields: JsonObject;
  readonly choice: JsonObject;
  readonly reason: FinishReason;
}

/** What a choice brought in one chunk. */
export interface ChoicePart {
  /** The chunk that is sent now. */
  readonly open: ChunkChoice | undefined;
  /** It had a finish reason, which is held back until the stream ends. */
  readonly isEnd: boolean;
}

/** One choice of a stream: its role, its tool calls, and its finish, which some servers name in every chunk. */
export class ChoiceNormaliser {
  private finish: HeldFinish | undefined;
  /** The choice continued after a finish reason, so its finish reasons do not mark its end. */
  private isOutrun = false;
  private isStarted = false;
  private usesDeltas = false;
  private hasLegacyCall = false;
  private toolCalls: ToolCallDeltas | undefined;

  /** @param isSuspect its first chunk has a finish reason already, so that it may be a server that names one in each */
  constructor(
    private readonly index: number,
    readonly isSuspect: boolean,
  ) {}

  /** It has a finish reason and nothing came after it. */
  get isWhole(): boolean {
    return this.isFinished && !this.isOutrun;
  }

  get isFinished(): boolean {
    return this.finish !== undefined;
  }

  /** Whether it calls a tool. */
  get hasCalls(): boolean {
    return this.hasLegacyCall || this.toolCalls?.isEmpty === false;
  }

  /** Changes the choice and its delta in place. @param fields the chunk that it came in */
  push(choice: JsonObject, reason: FinishReason | null, fields: JsonObject): ChoicePart {
    const { index } = this;
    const isFirst = !this.isStarted;
    this.isStarted = true;
    const delta = this.deltaOf(choice);
    const says = this.normaliseDelta(delta, isFirst);
    if (says && this.isFinished) this.isOutrun = true;
    if (choice['message'] !== undefined) choice['message'] = undefined;
    if (reason === null) {
      if (!says && !isFirst && !hasExtras(choice)) return { open: undefined, isEnd: false };
      return { open: Object.assign(choice, { index, delta, finish_reason: null }), isEnd: false };
    }
    let open: ChunkChoice | undefined;
    if (says || isFirst) {
      if (isFirst && !says) delta['content'] = '';
      open = { index, delta, logprobs: choice['logprobs'] ?? null, finish_reason: null };
      choice['logprobs'] = null;
    }
    // "stop" in every chunk must not replace a more exact reason.
    const before = this.finish?.reason;
    this.finish = { fields, choice, reason: reason === 'stop' && before !== undefined ? before : reason };
    return { open, isEnd: true };
  }

  /** The stream said that it is complete, so a finish reason that never came can be inferred. */
  inferReason(): void {
    if (this.isFinished) return;
    const reason = this.hasLegacyCall ? 'function_call' : this.toolCalls?.isEmpty === false ? 'tool_calls' : 'stop';
    this.finish = { fields: {}, choice: {}, reason };
  }

  /** @returns undefined without a finish reason */
  finishChunk(envelope: Envelope): ChatCompletionChunk | undefined {
    if (this.finish === undefined) return undefined;
    this.toolCalls?.finish();
    const { fields, choice, reason } = this.finish;
    // The word belongs to the deprecated form of a call; with tool calls it is a server's slip.
    const word = reason === 'function_call' && !this.hasLegacyCall ? 'tool_calls' : reason;
    const { index } = this;
    const own = { ...choice, index, delta: {}, logprobs: choice['logprobs'] ?? null, finish_reason: word };
    return { ...fields, ...envelope, choices: [own] };
  }

  /** A few servers send a whole message where a delta belongs; after deltas it only repeats what they said. */
  private deltaOf({ delta, message }: JsonObject): JsonObject {
    if (isObject(delta)) {
      this.usesDeltas = true;
      return delta;
    }
    return isObject(message) && !this.usesDeltas ? message : {};
  }

  /** Changes the delta in place. @returns whether it says anything beside its role */
  private normaliseDelta(delta: JsonObject, isFirst: boolean): boolean {
    if (isFirst) delta['role'] = 'assistant';
    else if (delta['role'] !== undefined) delta['role'] = undefined;
    if (Array.isArray(delta['content'])) flattenContent(delta);
    if (isObject(delta['function_call'])) this.hasLegacyCall = true;
    const calls = delta['tool_calls'];
    if (calls !== undefined) {
      const deltas =
        Array.isArray(calls) && calls.length > 0 ? (this.toolCalls ??= new ToolCallDeltas()).normalise(calls) : [];
      delta['tool_calls'] = deltas.length > 0 ? deltas : undefined;
    }
    for (const field in delta) {
      if (field !== 'role' && !isEmpty(delta[field])) return true;
    }
    return false;
  }
}

function isEmpty(value: unknown): boolean {
  return value == null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** Whether a choice with an empty delta carries anything else, such as log probabilities or Azure's filter results. */
function hasExtras(choice: JsonObject): boolean {
  for (const field in choice) {
    if (field !== 'index' && field !== 'delta' && field !== 'finish_reason' && choice[field] != null) return true;
  }
  return false;
}
