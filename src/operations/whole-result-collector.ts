import { printExact } from '../runtime/exact-integers.js';
import type { BilledUsage } from './billed-tokens.js';
import type { Collector, RecordedResponse, RecordingDetail, SpanAttributes } from './operation.js';
import type { ChunkOf, OperationName, ResultOf } from './operation-types.js';

/** The functions that the collector of an operation without streams needs. */
export interface ResultReader<Name extends OperationName> {
  /** The billed units of the reported usage; undefined if the provider reported none. */
  billed(result: ResultOf<Name>): BilledUsage | undefined;
  /** The estimated units of the complete response if nothing was reported. */
  estimate(): Promise<BilledUsage>;
  /** The response as the request log keeps it. */
  recorded(result: ResultOf<Name>): RecordedResponse;
  /** The client's input for the model, for traces with content. */
  input(): unknown;
}

/** Follows the one result of an operation that has no streams. */
export class WholeResultCollector<Name extends OperationName> implements Collector<Name> {
  usage: unknown;
  billed: BilledUsage | undefined;
  readonly receivedTokens = 0;
  private result: ResultOf<Name> | undefined;

  constructor(
    private readonly detail: RecordingDetail,
    private readonly reader: ResultReader<Name>,
  ) {}

  get recorded(): RecordedResponse | undefined {
    if (this.result === undefined || this.detail === 'nothing') return undefined;
    const recorded = this.reader.recorded(this.result);
    return this.detail === 'content' ? recorded : { ...recorded, content: {} };
  }

  completed(result: ResultOf<Name>): void {
    this.result = result;
    this.billed = this.reader.billed(result);
    this.usage = this.billed;
  }

  streamed(group: readonly ChunkOf<Name>[]): readonly ChunkOf<Name>[] {
    return group;
  }

  estimate(): Promise<BilledUsage> {
    return this.reader.estimate();
  }

  attributes(): SpanAttributes {
    const { id, model } = this.recorded ?? {};
    return {
      ...(id !== undefined && { 'gen_ai.response.id': id }),
      ...(model !== undefined && { 'gen_ai.response.model': model }),
      ...(this.billed !== undefined && { 'gen_ai.usage.input_tokens': this.billed.promptTokens }),
    };
  }

  contentAttributes(): SpanAttributes {
    const content = this.reader.input();
    return {
      'gen_ai.input.messages': printExact([{ role: 'user', parts: [{ type: 'text', content }] }]),
    };
  }
}
