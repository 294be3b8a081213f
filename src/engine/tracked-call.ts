import type { CallContext } from '../calls/call-context.js';
import { readBilledTokens, type BilledTokens } from '../pricing/billed-tokens.js';
import { toDollars, type NanoDollars } from '../runtime/nano-dollars.js';
import { steadyNow } from '../runtime/steady-clock.js';
import { toGatewayError } from '../errors/to-gateway-error.js';
import type { Deployment } from '../routing/resolved-model.js';
import type { RoutingTable } from '../routing/routing-table.js';
import type { Admission } from '../limits/limits.service.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { AnswerRecorder } from '../operations/chat/answer-recorder.js';
import type { CallEvents } from '../calls/call-events.js';
import type { AttemptOutcome, CallOutcome, CallStatus } from '../calls/call-outcome.js';
import type { CallTrace } from '../calls/call-tracing.js';
import type { ChatCompletion, ChatRequest, Delta, Usage } from '../operations/chat/chat-completion.js';
import { PreserializedChunk, type StreamedChunk } from '../operations/chat/preserialized-chunk.js';

/** Characters of an answer that are kept until it ends, so that a long one does not fill memory. */
const OUTPUT_KEPT = 65_536;

/** What tokens cost at a deployment; null when its price is unknown. */
export type CostOf = (tokens: BilledTokens, deployment: Deployment) => Promise<NanoDollars | null>;

interface AttemptUnderWay {
  readonly model: string;
  readonly deployment: Deployment;
  readonly startedAt: number;
  readonly started: number;
  firstByte: number | null;
}

/** Follows one request through its attempts, and reports its outcome once. Until then it holds on to its routing table. */
export class TrackedCall {
  /** What was set aside for it; whoever counts gives it back. */
  admission: Admission | undefined;
  /** Fields and headers of the request that the last attempt did not send. */
  droppedParams: readonly string[] = [];
  /** Epoch milliseconds. */
  readonly startedAt = steadyNow();
  private readonly started = performance.now();
  private readonly attempts: AttemptOutcome[] = [];
  private underWay: AttemptUnderWay | undefined;
  private firstByte: number | null = null;
  private usage: Usage | undefined;
  private readonly output: string[] = [];
  private outputLength = 0;
  private hasEnded = false;
  private reported: BilledTokens | undefined;
  private price: Promise<NanoDollars | null> | undefined;
  private readonly recorder: AnswerRecorder | undefined;

  constructor(
    private readonly request: ChatRequest,
    private readonly context: CallContext,
    private readonly isStream: boolean,
    private readonly events: CallEvents,
    readonly table: RoutingTable,
    private readonly costOf: CostOf,
    private readonly trace?: CallTrace,
  ) {
    table.hold();
    const keepsContent = context.principal.requestLog != null || trace?.wantsContent === true;
    if (keepsContent || trace?.isRecording === true) this.recorder = new AnswerRecorder(keepsContent);
  }

  /** @returns headers that go to the provider */
  attemptBegins(
    model: string,
    deployment: Deployment,
    headers: CallContext['headers'] = this.context.headers,
  ): CallContext['headers'] {
    this.underWay = { model, deployment, startedAt: steadyNow(), started: performance.now(), firstByte: null };
    return this.trace === undefined ? headers : { ...headers, ...this.trace.attemptBegins(deployment) };
  }

  /** @returns milliseconds since the attempt began */
  answers(): number {
    const now = performance.now();
    this.firstByte = now - this.started;
    if (this.underWay === undefined) return 0;
    return (this.underWay.firstByte = now - this.underWay.started);
  }

  /** What the reported usage costs, as in the outcome. */
  readonly costNanos = (): Promise<NanoDollars | null> => {
    const deployment = this.attempts.at(-1)?.deployment;
    this.price ??=
      this.reported === undefined || deployment === undefined
        ? Promise.resolve(null)
        : this.costOf(this.reported, deployment);
    return this.price;
  };

  /** The same in US dollars. */
  readonly cost = async (): Promise<number | null> => {
    const nanos = await this.costNanos();
    return nanos === null ? null : toDollars(nanos);
  };

  /** Sets more aside where the provider may bill the last attempt. @returns false when the budget has no room for a further one */
  async mayTryAgain(): Promise<boolean> {
    if (this.admission === undefined || this.attempts.at(-1)?.mayBeBilled !== true) return true;
    return this.admission.coverAnother();
  }

  /** Notes what a stream brought. */
  streamed(group: readonly StreamedChunk[]): void {
    for (const chunk of group) {
      if (chunk instanceof PreserializedChunk) {
        this.recorder?.streamed(chunk.toChunk());
        this.keep(chunk.text);
        continue;
      }
      const { choices, usage } = chunk;
      this.recorder?.streamed(chunk);
      if (usage != null) this.uses(usage);
      for (const { delta } of choices) this.wrote(delta);
    }
  }

  /** Ends the call with its whole answer. */
  completed(completion: ChatCompletion): void {
    this.uses(completion.usage);
    this.recorder?.completed(completion);
    if (this.reported === undefined) for (const { message } of completion.choices) this.wrote(message as Delta);
    this.end('succeeded', null);
  }

  /** Ends the call of a stream that came whole. */
  streamEnded(): void {
    this.end('succeeded', null);
  }

  /** Ends the call with what broke it; nothing where its client has gone. */
  broken(error: unknown): void {
    this.end(this.context.signal.aborted ? 'abandoned' : 'failed', error ?? this.context.signal.reason);
  }

  private uses(usage: Usage | undefined): void {
    this.usage = usage;
    this.reported = readBilledTokens(usage);
  }

  private wrote(delta: Delta): void {
    const { content, tool_calls: toolCalls, reasoning_content: reasoning, refusal, function_call: older } = delta;
    this.keep(content);
    this.keep(reasoning);
    this.keep(refusal);
    if (isObject(older)) this.called(older);
    if (!Array.isArray(toolCalls)) return;
    for (const call of toolCalls as readonly unknown[]) {
      if (!isObject(call)) continue;
      if (isObject(call['function'])) this.called(call['function']);
      if (isObject(call['custom'])) this.called(call['custom']);
    }
  }

  private called({ name, arguments: given, input }: JsonObject): void {
    this.keep(name);
    this.keep(given);
    this.keep(input);
  }

  private keep(text: unknown): void {
    if (typeof text !== 'string' || text === '') return;
    if (this.outputLength < OUTPUT_KEPT) this.output.push(text);
    this.outputLength += text.length;
  }

  /** @param error null when the attempt gave the whole answer */
  attemptEnds(error: unknown): void {
    if (this.underWay === undefined) return;
    const { model, deployment, startedAt, started, firstByte } = this.underWay;
    this.underWay = undefined;
    const failure = error === null ? null : toGatewayError(error);
    const hasAnswered = failure === null || firstByte !== null;
    this.attempts.push({
      model,
      deployment,
      startedAt,
      firstByte,
      duration: performance.now() - started,
      error: failure,
      mayBeBilled: hasAnswered || failure.mayBeBilled || this.context.signal.aborted,
    });
  }

  private end(status: CallStatus, error: unknown): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.table.release();
    this.attemptEnds(error);
    const outcome: CallOutcome = {
      request: this.request,
      context: this.context,
      isStream: this.isStream,
      status,
      error: error === null ? null : toGatewayError(error),
      attempts: this.attempts,
      startedAt: this.startedAt,
      firstByte: this.firstByte,
      duration: performance.now() - this.started,
      usage: this.usage,
      reported: this.reported,
      cost: this.cost,
      costNanos: this.costNanos,
      output: this.output,
      outputLength: this.outputLength,
      admission: this.admission,
      droppedParams: this.droppedParams,
      answer: this.recorder?.answer,
    };
    try {
      this.trace?.ended(outcome);
    } finally {
      // What counts the call frees what was reserved for it, whatever becomes of its trace.
      this.events.ended(outcome);
    }
  }
}
