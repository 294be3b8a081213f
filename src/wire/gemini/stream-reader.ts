import { upstreamError } from '../../errors/gateway-error.js';
import type { CanonicalChunk, FinishReason } from '../../operations/chat/canonical/canonical-result.js';
import { parseWithExactArguments } from '../exact-arguments.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import type { ReadContext, StreamReader, WireEvent } from '../wire-format.js';
import { readErrorObject } from './errors.js';
import { readFinishReason } from './finish-reason.js';
import { readLogprobs } from './logprobs.js';
import { blockedPrompt, brokenGeneration, choiceExtras, readHead, unknownForm } from './read-response.js';
import { readResponsePart, type ResponsePart, type WrittenText } from './response-parts.js';
import { member } from './spelling.js';
import { readBilledUsage, webSearchesOf } from './usage.js';

/** Candidates of one response; Google gives 8 at most. */
const MAX_CANDIDATES = 128;

/** One candidate of a stream. */
class Candidate {
  private next = 0;
  private open: { readonly type: 'text' | 'thinking'; readonly index: number; isSigned: boolean } | undefined;
  private hasToolCalls = false;
  private hasContent = false;
  private lastReason: unknown;
  private extras: JsonObject = {};
  private annotations: readonly unknown[] = [];

  constructor(private readonly choice: number) {}

  /** A reason that arrives in every event counts when the stream has ended. */
  get hasFinished(): boolean {
    return this.lastReason !== undefined;
  }

  read(candidate: JsonObject, { toolNames }: ReadContext, out: CanonicalChunk[]): void {
    const { content } = candidate;
    const parts = isObject(content) && Array.isArray(content['parts']) ? (content['parts'] as readonly unknown[]) : [];
    for (const each of parts) {
      const part = readResponsePart(each, toolNames);
      if (part !== undefined) this.readPart(part, out);
    }
    const logprobs = readLogprobs(member(candidate, 'logprobsResult'));
    if (logprobs !== undefined) out.push({ type: 'logprobs', choice: this.choice, logprobs });
    const extras = choiceExtras(candidate);
    if (extras !== undefined) {
      Object.assign(this.extras, extras.gemini);
      const annotations: unknown = extras['openai-chat']?.['annotations'];
      if (Array.isArray(annotations)) this.annotations = annotations;
    }
    const reason = member(candidate, 'finishReason');
    if (typeof reason !== 'string' || reason === '' || reason === 'FINISH_REASON_UNSPECIFIED') return;
    if (readFinishReason(reason, false) === 'failed') throw brokenGeneration(candidate);
    this.lastReason = reason;
  }

  /** The open blocks, and the finish reason. */
  end(out: CanonicalChunk[]): void {
    this.close(out);
    const { choice, hasToolCalls } = this;
    const known = readFinishReason(this.lastReason, hasToolCalls);
    const reason = known === undefined || known === 'failed' ? this.otherReason() : known;
    const hasExtras = Object.keys(this.extras).length > 0;
    out.push({
      type: 'finish',
      choice,
      reason,
      ...(hasExtras && {
        extras: {
          gemini: this.extras,
          ...(this.annotations.length > 0 && { 'openai-chat': { annotations: this.annotations } }),
        },
      }),
    });
  }

  /** `OTHER` and what is not known yet: a response where there is content. */
  private otherReason(): FinishReason {
    if (this.hasToolCalls) return 'tool_calls';
    if (this.hasContent) return 'stop';
    throw upstreamError({ message: 'The upstream provider ended its answer without content.' });
  }

  private readPart(part: ResponsePart, out: CanonicalChunk[]): void {
    const { choice } = this;
    if (part.type !== 'whole' && part.type !== 'tool_call') {
      this.readText(part, out);
      return;
    }
    this.close(out);
    this.hasContent = true;
    const index = this.next;
    this.next += 1;
    if (part.type === 'whole') {
      out.push({ type: 'block_start', choice, index, block: { type: 'whole', block: part.block } });
    } else {
      this.hasToolCalls = true;
      const { id, name, input, signature } = part;
      out.push({ type: 'block_start', choice, index, block: { type: 'tool_call', id, name, kind: 'function' } });
      if (signature !== undefined) out.push({ type: 'signature', choice, index, signature });
      out.push({ type: 'delta', choice, index, text: input });
    }
    out.push({ type: 'block_end', choice, index });
  }

  private readText(part: WrittenText, out: CanonicalChunk[]): void {
    const { choice } = this;
    const { type, text, signature } = part;
    if (text === '' && signature === undefined) return;
    // A signature closes the text that it stands behind.
    if (this.open !== undefined && (this.open.type !== type || this.open.isSigned)) this.close(out);
    if (this.open === undefined) {
      this.open = { type, index: this.next, isSigned: false };
      this.next += 1;
      out.push({ type: 'block_start', choice, index: this.open.index, block: { type } });
    }
    const { index } = this.open;
    if (text !== '') {
      if (type === 'text') this.hasContent = true;
      out.push({ type: 'delta', choice, index, text });
    }
    if (signature !== undefined) {
      this.open.isSigned = true;
      out.push({ type: 'signature', choice, index, signature });
    }
  }

  private close(out: CanonicalChunk[]): void {
    if (this.open === undefined) return;
    out.push({ type: 'block_end', choice: this.choice, index: this.open.index });
    this.open = undefined;
  }
}

/**
 * Reads `streamGenerateContent?alt=sse`: each event is a response with the next parts of its candidates. There is no last event, so
 * the stream is whole when each candidate has a finish reason, and the reason is reported when the connection ends.
 */
export class GeminiStreamReader implements StreamReader {
  readonly isDone = false;
  private hasBegun = false;
  private isBlocked = false;
  private webSearches = 0;
  private readonly candidates = new Map<number, Candidate>();

  constructor(private readonly context: ReadContext) {}

  get isWhole(): boolean {
    if (this.candidates.size === 0) return this.isBlocked;
    return [...this.candidates.values()].every(({ hasFinished }) => hasFinished);
  }

  read({ data }: WireEvent, out: CanonicalChunk[]): void {
    if (data === '' || data === '[DONE]') return;
    const body = parse(data);
    const { error } = body;
    if (error !== undefined && error !== null) throw readErrorObject(body, this.context.redact);
    if (!this.hasBegun) {
      this.hasBegun = true;
      out.push({ type: 'start', ...readHead(body) });
    }
    const blocked = blockedPrompt(body);
    if (blocked !== undefined && !this.isBlocked) {
      this.isBlocked = true;
      out.push({ type: 'extras', extras: { gemini: { promptFeedback: blocked } } });
    }
    const listed: readonly unknown[] = Array.isArray(body['candidates']) ? body['candidates'] : [];
    for (const candidate of listed) {
      if (isObject(candidate)) this.candidateOf(candidate).read(candidate, this.context, out);
    }
    this.webSearches = Math.max(this.webSearches, webSearchesOf(body));
    const usage = readBilledUsage(body, this.webSearches);
    if (usage !== undefined) out.push({ type: 'usage', usage });
  }

  end(out: CanonicalChunk[]): void {
    if (!this.isWhole) {
      throw upstreamError({ message: 'The upstream provider ended its stream before the answer was whole.' });
    }
    for (const candidate of this.candidates.values()) candidate.end(out);
    if (this.candidates.size === 0) out.push({ type: 'finish', choice: 0, reason: 'content_filter' });
    out.push({ type: 'end' });
  }

  private candidateOf({ index }: JsonObject): Candidate {
    const choice =
      typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < MAX_CANDIDATES ? index : 0;
    let candidate = this.candidates.get(choice);
    if (candidate === undefined) {
      candidate = new Candidate(choice);
      this.candidates.set(choice, candidate);
    }
    return candidate;
  }
}

/** An event as an object; proxies put an error into a list of one. */
function parse(data: string): JsonObject {
  let value: unknown;
  try {
    value = parseWithExactArguments(data);
  } catch {
    throw unknownForm();
  }
  const body: unknown = Array.isArray(value) ? value[0] : value;
  if (!isObject(body)) throw unknownForm();
  return body;
}
