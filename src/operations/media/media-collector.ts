import { boundTokens, NO_TOKENS } from '../../runtime/token-count.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { NOTHING_BILLED, type BilledUsage } from '../billed-tokens.js';
import type { RecordedResponse, SpanAttributes } from '../operation.js';
import { isJson, readJsonObject, type RawChunk, type RawResponse } from './raw-response.js';

/** What the collectors of images, speech and transcriptions have in common: they read JSON out of bytes that pass through. */
export abstract class MediaCollector {
  usage: unknown;
  readonly receivedTokens = 0;
  /** Bytes that have come. */
  protected bytes = 0;

  abstract readonly billed: BilledUsage | undefined;

  constructor(private readonly isRecorded: boolean) {}

  get recorded(): RecordedResponse | undefined {
    if (!this.isRecorded || this.bytes === 0) return undefined;
    return { id: undefined, model: undefined, content: this.content(), isCut: false };
  }

  completed(response: RawResponse): void {
    this.bytes += response.body.length;
    const json = isJson(response) ? readJsonObject(response.body) : undefined;
    if (json === undefined) this.readText(response.body);
    else this.readJson(json);
  }

  streamed(group: readonly RawChunk[]): readonly RawChunk[] {
    for (const { bytes, event } of group) {
      this.bytes += bytes.length;
      if (event !== undefined) this.readJson(event);
    }
    return group;
  }

  estimate(): BilledUsage {
    return NOTHING_BILLED;
  }

  attributes(): SpanAttributes {
    const { billed } = this;
    if (billed === undefined || billed.totalTokens === NO_TOKENS) return {};
    return {
      'gen_ai.usage.input_tokens': boundTokens(billed.promptTokens),
      'gen_ai.usage.output_tokens': boundTokens(billed.completionTokens),
    };
  }

  contentAttributes(): SpanAttributes {
    return {};
  }

  /** A whole JSON body, or the data of an event. */
  protected readJson(json: JsonObject): void {
    if (json['usage'] != null) this.usage = json['usage'];
  }

  /** A body that is not JSON. */
  protected readText(_body: Buffer): void {
    return;
  }

  /** The part of the response that the request log stores. Files are not stored. */
  protected abstract content(): JsonObject;
}
