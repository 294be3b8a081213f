import { parseExact } from '../../runtime/exact-integers.js';
import type { StreamedChunk } from '../../operations/chat/preserialized-chunk.js';
import type { ChatCompletionChunk, ChunkChoice } from '../../operations/chat/chat-completion.js';
import type { SseEvent } from '../sse/sse-parser.js';
import { upstreamError } from '../../errors/gateway-error.js';
import { ChoiceNormaliser, type ChoicePart, type Envelope } from './choice-normaliser.js';
import { normaliseFinishReason } from './finish-reason.js';
import { isObject, JsonObject, nonEmptyString } from '../../runtime/json-value.js';
import { createdSeconds, newCompletionId } from './generated-ids.js';
import { mapErrorObject } from '../errors/map-error.js';
import type { NormaliseOptions } from './normalise-completion.js';
import { mayHoldContent } from '../malformed-event.js';
import { UsageCollector } from './find-usage.js';
import { TextPattern } from './text-pattern.js';

/** Options of normalising a stream. */
export interface StreamNormaliserOptions extends NormaliseOptions {
  /** How many choices the client asked for. */
  readonly expectedChoices: number;
  /** Called when an event that is no JSON is left out. */
  readonly onSkippedEvent?: (() => void) | undefined;
  /** Whether chunks with only text may be recognised without parsing them; the default. */
  readonly learns?: boolean;
}

/** Consecutive failed attempts to find a pattern after which it stops: in some streams every chunk has unique content. */
const MAX_PATTERN_ATTEMPTS = 16;
/** More choices than any client may ask for. */
const MAX_CHOICES = 128;

/**
 * Turns what OpenAI-compatible servers stream into the contract's order: one id and date throughout, the role in the
 * first delta of a choice and in no other, a finish chunk with an empty delta for each choice once the stream has ended, and
 * one usage chunk at the very end. Unknown fields stay. A pure state machine: events in, chunks out.
 */
export class StreamNormaliser {
  /** `[DONE]` has come, and with it everything has been given out. */
  done = false;
  private id: string | undefined;
  private created = 0;
  private model: string;
  private readonly usage = new UsageCollector();
  /** Fields of a chunk without choices, such as Azure's prompt_filter_results; they travel with the next chunk. */
  private carried: JsonObject | undefined;
  private readonly choices: (ChoiceNormaliser | undefined)[] = [];
  private pattern: TextPattern | undefined;
  private attemptsLeft: number;
  private started = 0;
  private hasSkipped = false;

  constructor(private readonly options: StreamNormaliserOptions) {
    this.model = options.upstreamModel;
    this.attemptsLeft = options.learns === false ? 0 : MAX_PATTERN_ATTEMPTS;
  }

  /** Every requested choice has its finish reason, so the response is complete. */
  get whole(): boolean {
    if (this.started === 0 || this.started < this.options.expectedChoices) return false;
    return this.choices.every((choice) => choice === undefined || choice.isWhole);
  }

  /** Only the usage and the end are missing. This is uncertain if a finish reason came with the first chunk. */
  get nearEnd(): boolean {
    return this.whole && !this.choices.some((choice) => choice?.isSuspect === true);
  }

  /**
   * @param out takes the chunks
   * @throws GatewayError for an error event, malformed JSON that may be missed, or `[DONE]` before every choice has ended
   */
  push({ event, data }: SseEvent, out: StreamedChunk[]): void {
    if (this.done || data === '') return;
    const text = event === '' ? this.pattern?.match(data) : undefined;
    if (text !== undefined) {
      this.attemptsLeft = MAX_PATTERN_ATTEMPTS;
      out.push(text);
      return;
    }
    if (data.charCodeAt(0) === 0x5b && data.trim() === '[DONE]') {
      // What was left out may have been the finish reason, or more than that.
      if (!this.hasSkipped) for (const choice of this.choices) choice?.inferReason();
      this.end(out);
      return;
    }
    let chunk: unknown;
    try {
      chunk = parseExact(data);
    } catch (cause) {
      if (event === 'error') throw mapErrorObject(data, this.options.redact);
      if (!this.maySkip(data)) {
        throw upstreamError({ message: 'The upstream provider sent malformed JSON in its stream.', cause });
      }
      this.hasSkipped = true;
      this.options.onSkippedEvent?.();
      return;
    }
    if (!isObject(chunk)) throw upstreamError({ message: 'The upstream provider sent an event that is no object.' });
    if (chunk['error'] != null || event === 'error' || chunk['object'] === 'error') {
      throw mapErrorObject(chunk['error'] ?? chunk, this.options.redact);
    }
    const isBare = this.carried === undefined;
    const chunks: ChatCompletionChunk[] = [];
    this.pushChunk(chunk, chunks);
    out.push(...chunks);
    this.learn(data, isBare ? chunks : []);
  }

  /** One event that cannot be read is no loss where it held no content; its stream must then finish properly. */
  private maySkip(data: string): boolean {
    if (this.hasSkipped || mayHoldContent(data)) return false;
    return !this.choices.some((choice) => choice?.hasCalls === true);
  }

  /** Anything but plain text may change the meaning of the next chunks, so the pattern is determined again after it. */
  private learn(data: string, chunks: readonly ChatCompletionChunk[]): void {
    const [chunk] = chunks;
    this.pattern = undefined;
    if (chunks.length !== 1 || chunk === undefined || this.attemptsLeft === 0) return;
    this.attemptsLeft -= 1;
    this.pattern = TextPattern.of(data, chunk);
  }

  /**
   * The stream is over, with or without `[DONE]`.
   *
   * @throws GatewayError when there was nothing, or a choice has no finish reason
   */
  end(out: StreamedChunk[]): void {
    if (this.done) return;
    this.done = true;
    if (this.started === 0) throw upstreamError({ message: 'The upstream provider sent an empty stream.' });
    const finishes: ChatCompletionChunk[] = [];
    for (const choice of this.choices) {
      if (choice === undefined) continue;
      const finish = choice.finishChunk(this.envelope());
      if (finish === undefined) {
        throw upstreamError({ message: 'The upstream provider ended its stream before the answer was complete.' });
      }
      finishes.push(finish);
    }
    out.push(...finishes);
    const usage = this.usage.total;
    if (usage !== undefined) out.push({ ...this.carried, ...this.envelope(), choices: [], usage });
  }

  private pushChunk(chunk: JsonObject, out: ChatCompletionChunk[]): void {
    const { choices } = chunk;
    this.usage.read(chunk);
    const model = nonEmptyString(chunk['model']);
    if (model !== undefined) this.model = model;
    if (!Array.isArray(choices) || choices.length === 0) {
      this.carry(chunk);
      return;
    }
    if (this.id === undefined) {
      this.id = nonEmptyString(chunk['id']) ?? newCompletionId();
      this.created = createdSeconds(chunk['created'], this.options.now);
    }
    const open: ChunkChoice[] = [];
    let hasEnd = false;
    for (let position = 0; position < choices.length; position += 1) {
      const part = this.pushChoice(choices[position], position, chunk);
      if (part.open !== undefined) open.push(part.open);
      if (part.isEnd) hasEnd = true;
    }
    if (open.length === 0 && !hasEnd) {
      this.carry(chunk);
      return;
    }
    if (this.carried !== undefined) {
      for (const field in this.carried) chunk[field] ??= this.carried[field];
      this.carried = undefined;
    }
    // Set rather than deleted: a deletion makes V8's objects slow, and JSON leaves undefined out.
    chunk['usage'] = undefined;
    chunk['choices'] = undefined;
    if (open.length === 0) return;
    if (!hasEnd) {
      out.push(Object.assign(chunk, this.envelope(), { choices: open }));
      return;
    }
    const { system_fingerprint: fingerprint, service_tier: tier } = chunk;
    out.push({ system_fingerprint: fingerprint, service_tier: tier, ...this.envelope(), choices: open });
  }

  private pushChoice(choice: unknown, position: number, chunk: JsonObject): ChoicePart {
    if (!isObject(choice)) throw upstreamError({ message: 'The upstream provider sent a malformed choice.' });
    if (choice['error'] != null) throw mapErrorObject(choice['error'], this.options.redact);
    const index = typeof choice['index'] === 'number' ? choice['index'] : position;
    if (!Number.isInteger(index) || index < 0 || index >= MAX_CHOICES) {
      throw upstreamError({ message: 'The upstream provider sent a choice with an index out of range.' });
    }
    const reason = choice['finish_reason'] == null ? null : normaliseFinishReason(choice['finish_reason']);
    if (reason === 'failed') throw upstreamError({ message: 'The upstream provider broke off the generation.' });

    let known = this.choices[index];
    if (known === undefined) {
      known = new ChoiceNormaliser(index, reason !== null);
      this.choices[index] = known;
      this.started += 1;
    }
    return known.push(choice, reason, chunk);
  }

  private carry(chunk: JsonObject): void {
    const {
      id: _id,
      object: _object,
      created: _created,
      model: _model,
      choices: _choices,
      usage: _usage,
      ...rest
    } = chunk;
    for (const field in rest) {
      if (rest[field] != null) (this.carried ??= {})[field] = rest[field];
    }
  }

  private envelope(): Envelope {
    return {
      id: this.id ?? newCompletionId(),
      object: 'chat.completion.chunk',
      created: this.created,
      model: this.model,
    };
  }
}
