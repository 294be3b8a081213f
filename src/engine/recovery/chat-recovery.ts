import type { BilledUsage } from '../../operations/billed-tokens.js';
import { readBilledTokens } from '../../operations/billed-tokens.js';
import { SOURCE } from '../../operations/chat/canonical/sources.js';
import type { CanonicalUsage } from '../../operations/chat/canonical/canonical-result.js';
import type { ChatRequest } from '../../operations/chat/chat-completion.js';
import { promptSize } from '../../operations/chat/prompt-bytes.js';
import {
  hasContent,
  PreserializedChunk,
  toChunks,
  type StreamedChunk,
} from '../../operations/chat/preserialized-chunk.js';
import type { Collector } from '../../operations/operation.js';
import type { OperationStream } from '../../operations/operation-types.js';
import { BYTES_PER_TOKEN, CHARACTERS_PER_TOKEN } from '../../operations/text-tokens.js';
import type { Deployment } from '../../routing/resolved-model.js';
import { writeUsage } from '../../wire/openai-chat/canonical-usage.js';
import type { PreparedAttempt } from '../prepared-attempt.js';
import { type PrefillSupport, withPrefill } from './prefill.js';
import { SentResponse } from './sent-response.js';
import { Splice, sumOf } from './splice.js';
import { ContinueJoin, RestartJoin } from './text-join.js';

/** How often one stream is recovered at most. */
const MAX_RECOVERIES = 3;

export interface RecoveryOptions {
  readonly mode: 'restart' | 'continue';
  /** Newest tokens that are not sent yet. */
  readonly holdBack: number;
  readonly prefills: PrefillSupport;
}

/** Follows a stream of chat on its way to the client, and lets another deployment go on with it when it breaks. */
export class ChatRecovery {
  /** How often another deployment has gone on. */
  recovered = 0;
  private readonly sent = new SentResponse();
  private held: StreamedChunk[] = [];
  private splice: Splice | undefined;
  private asked: { readonly request: ChatRequest; readonly isContinued: boolean } | undefined;
  /** What was held when the stream broke, and is sent now. */
  private flushed: readonly StreamedChunk[] = [];
  private usageBefore: CanonicalUsage = { inputTokens: 0, outputTokens: 0 };

  constructor(
    private readonly request: ChatRequest,
    private readonly options: RecoveryOptions,
  ) {}

  /** Whether another deployment can go on now. */
  get isPossible(): boolean {
    return this.recovered < MAX_RECOVERIES && this.sent.isRecoverable && isPlain(this.request);
  }

  /**
   * Takes what a deployment sends.
   *
   * @returns what the client gets now
   * @throws Contradiction where a second response does not agree with the first
   */
  pass(group: readonly StreamedChunk[]): readonly StreamedChunk[] {
    const next = this.splice?.add(group) ?? group;
    const { flushed, options } = this;
    this.flushed = [];
    if (options.holdBack === 0) {
      this.sent.add(next);
      return flushed.length === 0 ? next : [...flushed, ...next];
    }
    this.held.push(...next);
    let excess = this.held.reduce((count, chunk) => count + (hasContent(chunk) ? 1 : 0), -options.holdBack);
    let at = 0;
    for (const chunk of this.held) {
      if (excess <= 0) break;
      at += 1;
      if (hasContent(chunk)) excess -= 1;
    }
    return [...flushed, ...this.release(at)];
  }

  /** The deployment has ended its response. @returns the rest; empty the second time */
  end(): readonly StreamedChunk[] {
    const { splice } = this;
    this.splice = undefined;
    this.held.push(...(splice?.end() ?? []));
    const { flushed } = this;
    this.flushed = [];
    return [...flushed, ...this.release(this.held.length)];
  }

  /** The stream has broken. @returns what the deployment consumed, estimated where it did not report it */
  broke(): BilledUsage | undefined {
    const { sent, splice } = this;
    const reported = splice === undefined ? sent.usage : splice.usage;
    const characters = splice?.length ?? sent.length + textOf(this.held).length;
    const usage: CanonicalUsage = {
      ...reported,
      inputTokens: reported?.inputTokens ?? Math.ceil(promptSize(this.request).bytes / BYTES_PER_TOKEN),
      outputTokens: Math.max(reported?.outputTokens ?? 0, Math.ceil(characters / CHARACTERS_PER_TOKEN)),
    };
    this.usageBefore = sumOf(this.usageBefore, usage);
    this.splice = undefined;
    return readBilledTokens(writeUsage(usage));
  }

  /** What a deployment is sent, so that it can go on. */
  requestFor(deployment: Deployment): ChatRequest {
    const text = (this.sent.text + textOf(this.held)).trimEnd();
    return this.continuesAt(deployment) ? withPrefill(this.request, text, deployment) : this.request;
  }

  /** Opens the stream that goes on. A deployment that refuses to go on from the text is asked to begin again. */
  async open({ port, providerCall, attempt }: PreparedAttempt<'chat'>): Promise<OperationStream<'chat'>> {
    const { deployment } = attempt.slot;
    const { prefills } = this.options;
    if (port.open === undefined) throw new TypeError('a deployment without streams was chosen for one');
    let isContinued = this.continuesAt(deployment);
    let opened: OperationStream<'chat'>;
    try {
      opened = await port.open(providerCall);
    } catch (error) {
      if (!isContinued || !prefills.learn(deployment, error)) throw error;
      isContinued = false;
      opened = await port.open({ ...providerCall, request: this.request });
    }
    this.begin(isContinued, isContinued ? providerCall.request : this.request);
    return opened;
  }

  describe(collector: Collector<'chat'>): void {
    if (this.asked !== undefined) collector.goesOn?.(this.asked.request, !this.asked.isContinued);
  }

  /** Sends what was held, where the next deployment goes on from it, and drops it where it begins again. */
  private begin(isContinued: boolean, asked: ChatRequest): void {
    this.asked = { request: asked, isContinued };
    if (isContinued) this.flushed = this.release(this.held.length);
    this.held = [];
    this.recovered += 1;
    const { sent } = this;
    const { text } = sent;
    this.splice = new Splice({
      sent,
      join: text === '' ? undefined : isContinued ? new ContinueJoin(text, text.trimEnd()) : new RestartJoin(text),
      usageBefore: this.usageBefore,
      recovered: this.recovered,
      toolNames: this.request[SOURCE]?.toolNames,
    });
  }

  private continuesAt(deployment: Deployment): boolean {
    const { mode, prefills } = this.options;
    if (mode === 'restart' || !prefills.takes(deployment) || isStructured(this.request)) return false;
    return (this.sent.text + textOf(this.held)).trim() !== '';
  }

  private release(count: number): readonly StreamedChunk[] {
    const released = this.held.splice(0, count);
    this.sent.add(released);
    return released;
  }
}

/** The text of chunks that were held back. */
function textOf(chunks: readonly StreamedChunk[]): string {
  let text = '';
  for (const chunk of chunks) {
    if (chunk instanceof PreserializedChunk) text += chunk.text;
    else for (const { choices } of toChunks([chunk])) text += choices.map(({ delta }) => delta.content ?? '').join('');
  }
  return text;
}

/** Whether the request asks for one response, without what belongs to each of its tokens, and in the present form. */
function isPlain({ n, logprobs, functions, function_call: call, [SOURCE]: source }: ChatRequest): boolean {
  const { choices = 1, logprobs: ofTokens } = source?.canonical ?? {};
  return (n ?? 1) <= 1 && choices <= 1 && logprobs !== true && ofTokens !== true && functions == null && call == null;
}

/** Whether the response is a JSON text, of which no model goes on with a part. */
function isStructured({ response_format: format, [SOURCE]: source }: ChatRequest): boolean {
  const type = source?.canonical.responseFormat?.type ?? format?.type ?? 'text';
  return type !== 'text';
}
