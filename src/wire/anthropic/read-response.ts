import type { CanonicalBlock } from '../../operations/chat/canonical/blocks.js';
import type { CanonicalResult } from '../../operations/chat/canonical/canonical-result.js';
import { upstreamError } from '../../errors/gateway-error.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { newToolCallId } from '../openai-chat/generated-ids.js';
import type { ReadContext } from '../wire-format.js';
import { readReportedError } from './errors.js';
import { readStopReason } from './finish-reason.js';
import { inputText, readExtras } from './read-block.js';
import { readUsage } from './usage.js';
import { namelessCall } from '../nameless-call.js';

/** Members of a message with a place in a result. */
const READ = new Set(['id', 'type', 'role', 'model', 'content', 'stop_reason', 'stop_sequence', 'usage']);

/**
 * A whole message.
 *
 * @throws GatewayError for an error object, and where it is no message
 */
export function readResponse(body: unknown, context: ReadContext): CanonicalResult {
  if (!isObject(body)) throw noMessage();
  if (body['type'] === 'error' || isObject(body['error'])) throw readReportedError(body, context.redact);
  const { content, stop_reason: reason, stop_sequence: sequence } = body;
  if (!Array.isArray(content)) throw noMessage();
  const blocks = content.flatMap((block: unknown) => readContentBlock(block, context) ?? []);
  // Content came whole, so a missing reason can be inferred; nothing at all is no response.
  if (blocks.length === 0 && typeof reason !== 'string') throw noMessage();
  const id = nonEmptyString(body['id']);
  const usage = readUsage(body['usage']);
  const tier = isObject(body['usage']) ? nonEmptyString(body['usage']['service_tier']) : undefined;
  const extras = readExtras(body, READ);
  const stopSequence = nonEmptyString(sequence);
  return {
    ...(id !== undefined && { id }),
    model: nonEmptyString(body['model']) ?? context.upstreamModel,
    choices: [
      {
        blocks,
        finish: readStopReason(
          reason,
          blocks.some(({ type }) => type === 'tool_call'),
        ),
        ...(stopSequence !== undefined && { stopSequence }),
      },
    ],
    ...(usage !== undefined && { usage }),
    ...(tier !== undefined && { serviceTier: tier }),
    ...(extras !== undefined && { extras }),
  };
}

function noMessage(): Error {
  return upstreamError({ message: 'The upstream provider answered with neither content nor a finish reason.' });
}

const TEXT = new Set(['type', 'text']);
const TOOL_USE = new Set(['type', 'id', 'name', 'input']);

/** A block of a response as it came; undefined for what is no block. Its signatures are the provider's own. */
export function readContentBlock(
  block: unknown,
  { toolNames }: Pick<ReadContext, 'toolNames'>,
): CanonicalBlock | undefined {
  if (!isObject(block)) return undefined;
  const type = nonEmptyString(block['type']) ?? guessType(block);
  switch (type) {
    case undefined:
      return undefined;
    case 'text': {
      const extras = readExtras(block, TEXT);
      return { type, text: textAt(block, 'text'), ...(extras !== undefined && { extras }) };
    }
    case 'thinking': {
      const signature = nonEmptyString(block['signature']);
      return { type, text: textAt(block, 'thinking'), ...(signature !== undefined && { signature: own(signature) }) };
    }
    case 'redacted_thinking': {
      const data = nonEmptyString(block['data']);
      return { type: 'thinking', text: '', isRedacted: true, ...(data !== undefined && { signature: own(data) }) };
    }
    case 'tool_use': {
      const name = nonEmptyString(block['name']);
      if (name === undefined) throw namelessCall();
      const extras = readExtras(block, TOOL_USE);
      return {
        type: 'tool_call',
        id: nonEmptyString(block['id']) ?? newToolCallId(),
        name: toolNames?.get(name) ?? name,
        kind: 'function',
        input: inputText(block['input']),
        ...(extras !== undefined && { extras }),
      };
    }
    default:
      return { type: 'opaque', wire: 'anthropic', name: type, value: block };
  }
}

function own(value: string): { wire: 'anthropic'; value: string } {
  return { wire: 'anthropic', value };
}

function textAt(block: JsonObject, name: string): string {
  const value = block[name];
  return typeof value === 'string' ? value : '';
}

/** Compatible servers leave the type out at times. */
function guessType(block: JsonObject): string | undefined {
  if (typeof block['text'] === 'string') return 'text';
  if (typeof block['thinking'] === 'string') return 'thinking';
  return typeof block['name'] === 'string' && 'input' in block ? 'tool_use' : undefined;
}
