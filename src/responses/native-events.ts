import type { GatewayError } from '../errors/gateway-error.js';
import { isObject, nonEmptyString, type JsonObject } from '../runtime/json-value.js';
import { failureOf } from '../wire/openai-responses/errors.js';
import type { NativePlace } from '../wire/openai-responses/response-object.js';
import { encodeEvent } from '../wire/sse/sse-encoder.js';
import { SseParser } from '../wire/sse/sse-parser.js';

/** Events that have the response itself. */
const ADDED = /"response\.output_item\.added"/;
const WITH_RESPONSE = /"response\.(?:created|in_progress|completed|incomplete)"/;
const LAST = /^response\.(?:completed|incomplete)$/;

/**
 * The events of a provider that has the format, on their way to the client as they are. The last one is held back, so that the
 * response can be kept before the client knows that it is complete.
 */
export class NativeEvents {
  /** The response of the newest event; undefined before the first. */
  response: JsonObject | undefined;
  /** The last event; empty before it has come. */
  last = '';
  private events = 0;
  private readonly items = new Map<number, string>();
  /** Text of the provider's id, as it stands in frames that have a response. */
  private foreignId: string | undefined;

  /** @param ownId in place of the provider's id of the response; undefined leaves that */
  constructor(private readonly ownId?: string) {}

  /** The ids that the client knows, and how many events it has. */
  get place(): NativePlace {
    return { responseId: nonEmptyString(this.response?.['id']), itemIds: this.items, events: this.events };
  }

  /** @returns what is to be sent now */
  pass(frame: string): string {
    if (frame === '') return '';
    if (!frame.startsWith(':')) this.events += 1;
    const isAdded = ADDED.test(frame);
    if (!isAdded && !WITH_RESPONSE.test(frame)) return frame;
    for (const { data } of new SseParser().push(Buffer.from(frame))) {
      const event = parse(data);
      if (isAdded) this.added(event);
      if (!isObject(event?.['response'])) continue;
      this.response = event['response'];
      this.foreignId = JSON.stringify(this.response['id']);
      if (this.ownId !== undefined) this.response = { ...this.response, id: this.ownId };
      if (!LAST.test(String(event['type']))) continue;
      this.last = this.withOwnId(frame);
      return '';
    }
    return this.withOwnId(frame);
  }

  private withOwnId(frame: string): string {
    if (this.ownId === undefined || this.foreignId === undefined) return frame;
    return frame.replaceAll(this.foreignId, JSON.stringify(this.ownId));
  }

  private added(event: JsonObject | undefined): void {
    const { output_index: index, item } = event ?? {};
    const id = isObject(item) ? nonEmptyString(item['id']) : undefined;
    if (typeof index === 'number' && id !== undefined) this.items.set(index, id);
  }

  /** What ends a stream that broke. */
  failed(error: GatewayError): string {
    const type = 'response.failed';
    const response = { ...this.response, status: 'failed', error: failureOf(error) };
    return encodeEvent(type, JSON.stringify({ type, response, sequence_number: this.events }));
  }
}

function parse(data: string): JsonObject | undefined {
  try {
    const event: unknown = JSON.parse(data);
    return isObject(event) ? event : undefined;
  } catch {
    return undefined;
  }
}
