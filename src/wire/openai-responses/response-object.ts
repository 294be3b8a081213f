import { createHash } from 'node:crypto';
import type { CanonicalRequest } from '../../operations/chat/canonical/canonical-request.js';
import type { CanonicalUsage } from '../../operations/chat/canonical/canonical-result.js';
import type { JsonObject } from '../../runtime/json-value.js';
import type { WriteContext } from '../wire-format.js';
import { allExtras } from './item-extras.js';
import { writeUsage } from './usage.js';
import { writeFormat } from './write-request.js';

const MS_PER_SECOND = 1_000;
const ID_DIGITS = 48;

/** Members of a request that its response repeats, with their defaults. */
const REPEATED: readonly (readonly [name: string, otherwise: unknown])[] = [
  ['background', false],
  ['instructions', null],
  ['max_tool_calls', null],
  ['previous_response_id', null],
  ['prompt_cache_retention', null],
  ['safety_identifier', null],
  ['tool_choice', 'auto'],
  ['tools', []],
  ['truncation', 'disabled'],
];

/** What a response says beside what its request asked for. */
export interface ResponseState {
  readonly status: 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed';
  readonly output: readonly JsonObject[];
  readonly incompleteDetails?: JsonObject | null;
  readonly error?: JsonObject | null;
  readonly usage?: CanonicalUsage | undefined;
  readonly serviceTier?: string | undefined;
  readonly model?: string | undefined;
  /** Members that the gateway adds. */
  readonly extras?: JsonObject;
}

/** Where a stream of a provider that has the format broke, for a writer that goes on with it. */
export interface NativePlace {
  readonly responseId: string | undefined;
  /** Ids of items by their index in the output. */
  readonly itemIds: ReadonlyMap<number, string>;
  /** Events that were sent. */
  readonly events: number;
}

/** Ids of a response and of its items. The same request has the same ids. */
export class ResponseIds {
  readonly response: string;
  private readonly base: string;

  /** @param place ids that the client knows already */
  constructor(
    { responseId, requestId }: Pick<WriteContext, 'responseId' | 'requestId'>,
    private readonly place?: NativePlace,
  ) {
    this.base =
      responseId?.replace(/^resp_/, '') ?? createHash('sha256').update(requestId).digest('hex').slice(0, ID_DIGITS);
    this.response = place?.responseId ?? `resp_${this.base}`;
  }

  /** @param prefix of the kind of item, such as `msg` */
  item(prefix: string, index: number): string {
    return this.place?.itemIds.get(index) ?? `${prefix}_${this.base}${index.toString(16).padStart(4, '0')}`;
  }
}

/** The response object, as it stands in the events of a stream and in a plain response. */
export function responseObject(ids: ResponseIds, context: WriteContext, state: ResponseState): JsonObject {
  const { request, now, model } = context;
  const extras = allExtras(request);
  const created = Math.floor(now / MS_PER_SECOND);
  const isOver = state.status !== 'in_progress' && state.status !== 'queued';
  const { store, topLogprobs = 0, temperature = null, topP = null, maxOutputTokens = null } = request;
  return {
    id: ids.response,
    object: 'response',
    created_at: created,
    status: state.status,
    completed_at: state.status === 'completed' ? created : null,
    error: state.error ?? null,
    incomplete_details: state.incompleteDetails ?? null,
    model: state.model ?? model,
    output: state.output,
    ...Object.fromEntries(REPEATED.map(([name, otherwise]) => [name, extras[name] ?? otherwise])),
    max_output_tokens: maxOutputTokens,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallelToolCalls ?? true,
    prompt_cache_key: request.promptCacheKey ?? null,
    reasoning: reasoningOf(request, extras['reasoning']),
    service_tier: state.serviceTier ?? request.serviceTier ?? 'auto',
    store: store ?? true,
    temperature,
    text: extras['text'] ?? textOf(request),
    top_logprobs: topLogprobs,
    top_p: topP,
    usage: isOver && state.usage !== undefined ? writeUsage(state.usage) : null,
    user: request.endUser ?? null,
    ...state.extras,
  };
}

function reasoningOf({ reasoning }: CanonicalRequest, sent: unknown): unknown {
  return { effort: reasoning?.effort ?? null, summary: null, ...(sent as JsonObject | undefined) };
}

function textOf({ responseFormat, verbosity }: CanonicalRequest): JsonObject {
  return {
    format: responseFormat === undefined ? { type: 'text' } : writeFormat(responseFormat),
    ...(verbosity !== undefined && { verbosity }),
  };
}
