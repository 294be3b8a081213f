import type { WireName } from '../../src/operations/chat/canonical/wire-name.js';
import { awsFrame } from './aws-event-stream.js';
import { sse, text, type JsonBody } from './native-formats/wire-format.js';

/** Content types of streams by the format of the provider. */
export function streamTypeOf(wire: WireName): string {
  return wire === 'bedrock-converse' ? 'application/vnd.amazon.eventstream' : 'text/event-stream';
}

/**
 * The events of a stream as a provider of a format sends them, one piece each. Those of Converse are objects of one member, whose
 * name is the event's; one that ends with `Exception` is a failure.
 */
export function streamFrames(wire: WireName, events: readonly JsonBody[]): (string | Buffer)[] {
  switch (wire) {
    case 'bedrock-converse':
      return events.flatMap((event) =>
        Object.entries(event).map(([name, payload]) =>
          awsFrame(name.endsWith('Exception') ? 'exception' : 'event', name, payload),
        ),
      );
    case 'anthropic':
    case 'openai-responses':
      return events.map((event) => sse(event, text(event['type'])));
    case 'openai-chat':
      return [...events.map((event) => sse(event)), 'data: [DONE]\n\n'];
    default:
      return events.map((event) => sse(event));
  }
}
