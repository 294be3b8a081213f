import { CHARACTERS_PER_TOKEN } from '../text-tokens.js';
import { CollectedText } from '../../runtime/collected-text.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { boundTokens } from '../../runtime/token-count.js';
import { billedTokens, readBilledTokens, type BilledUsage } from '../billed-tokens.js';
import type { Collector, RecordedResponse, RecordingDetail, SpanAttributes } from '../operation.js';
import { ResponseRecorder } from './response-recorder.js';
import { contentAttributes, responseAttributes } from './chat-attributes.js';
import { SOURCE } from './canonical/sources.js';
import {
  BILLED_BESIDE,
  type BilledBeside,
  type ChatCompletion,
  type ChatCompletionChunk,
  type ChatRequest,
  type Delta,
  type Usage,
} from './chat-completion.js';
import { countPromptTokens, countTokens } from './count-tokens.js';
import { PreserializedChunk, type StreamedChunk } from './preserialized-chunk.js';
import { SourcedChunk } from './sourced-chunk.js';
import { SplicedChunk } from './spliced-chunk.js';

/** Characters of a response that are kept until it ends, so that a long one does not fill memory. */
const MAX_KEPT_CHARACTERS = 65_536;

/** Follows a completion or the chunks of one: usage, the text to estimate it by, and the response for those who keep it. */
export class ChatCollector implements Collector<'chat'> {
  usage: Usage | undefined;
  billed: BilledUsage | undefined;
  serviceTier: string | undefined;
  /** The generated text, reasoning and tool arguments; the beginning of a long response. */
  private readonly output = new CollectedText();
  private outputLength = 0;
  private readonly recorder: ResponseRecorder | undefined;
  /** What the deployment was asked that the usage is of. */
  private asked: ChatRequest;
  private readonly wantsUsage: boolean;
  private readonly isOpenAiClient: boolean;

  constructor(
    private readonly request: ChatRequest,
    detail: RecordingDetail,
  ) {
    this.asked = request;
    this.wantsUsage = request.stream_options?.include_usage === true;
    this.isOpenAiClient = request[SOURCE] === undefined;
    if (detail !== 'nothing') this.recorder = new ResponseRecorder(detail === 'content');
  }

  get receivedTokens(): number {
    return Math.ceil(this.outputLength / CHARACTERS_PER_TOKEN);
  }

  get recorded(): RecordedResponse | undefined {
    const response = this.recorder?.response;
    if (response === undefined || response.choices.length === 0) return undefined;
    const { id, model, isCut, choices } = response;
    return { id, model, isCut, content: { choices } };
  }

  completed(completion: ChatCompletion): void {
    this.uses(completion.usage);
    this.servedAt(completion);
    this.recorder?.completed(completion);
    if (this.billed === undefined) for (const { message } of completion.choices) this.wrote(message as Delta);
  }

  /**
   * Leaves out the usage chunk where the client did not ask for it. A client that speaks OpenAI's format gets its chunks; any other
   * gets what the provider sent.
   */
  streamed(group: readonly StreamedChunk[]): readonly StreamedChunk[] {
    let isChanged = false;
    for (const chunk of group) {
      if (chunk instanceof PreserializedChunk) {
        this.recorder?.streamed(chunk.toChunk());
        this.keep(chunk.text);
      } else if (chunk instanceof SourcedChunk) {
        for (const one of chunk.chunks) this.chunk(one);
        // The client gets the usage of all deployments; this call is billed by that of the last one.
        if (chunk instanceof SplicedChunk && chunk.usage !== undefined) this.uses(chunk.usage);
        isChanged ||= this.isOpenAiClient;
      } else if (this.chunk(chunk)) {
        isChanged ||= !this.wantsUsage;
      }
    }
    if (!isChanged) return group;
    const flat = this.isOpenAiClient
      ? group.flatMap((chunk) => (chunk instanceof SourcedChunk ? chunk.chunks : chunk))
      : group;
    return this.wantsUsage ? flat : flat.filter((chunk) => !isUsageChunk(chunk));
  }

  /** @returns whether it is the chunk that has usage alone */
  private chunk(chunk: ChatCompletionChunk): boolean {
    const { choices, usage } = chunk;
    this.recorder?.streamed(chunk);
    this.servedAt(chunk);
    if (usage != null) this.uses(usage);
    for (const { delta } of choices) this.wrote(delta);
    return usage != null && choices.length === 0;
  }

  goesOn(request: ChatRequest, beginsAgain: boolean): void {
    this.asked = request;
    this.usage = undefined;
    this.billed = undefined;
    this.serviceTier = undefined;
    if (beginsAgain) return;
    this.output.clear();
    this.outputLength = 0;
  }

  async estimate(): Promise<BilledUsage> {
    const kept = String(this.output);
    const [prompt, ofKept] = await Promise.all([countPromptTokens(this.asked), countTokens([kept])]);
    const completion = kept === '' ? 0 : (ofKept * this.outputLength) / kept.length;
    return billedTokens(boundTokens(prompt), boundTokens(completion));
  }

  attributes(): SpanAttributes {
    return responseAttributes(this.recorder?.response, this.usage);
  }

  contentAttributes(): SpanAttributes {
    return contentAttributes(this.request, this.recorder?.response);
  }

  private uses(usage: Usage | undefined): void {
    this.usage = usage;
    this.billed = readBilledTokens(usage);
    const { serviceTier }: BilledBeside = usage?.[BILLED_BESIDE] ?? {};
    if (serviceTier !== undefined) this.serviceTier = serviceTier;
  }

  /** OpenAI's form names the tier beside the usage. */
  private servedAt({ service_tier: tier }: Readonly<JsonObject>): void {
    if (typeof tier === 'string' && tier !== '') this.serviceTier = tier;
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
    if (this.outputLength < MAX_KEPT_CHARACTERS) this.output.add(text);
    this.outputLength += text.length;
  }
}

function isUsageChunk(chunk: StreamedChunk): boolean {
  if (chunk instanceof PreserializedChunk || chunk instanceof SourcedChunk) return false;
  return chunk.choices.length === 0 && chunk.usage != null;
}
