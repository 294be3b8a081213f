import { upstreamError } from '../../errors/gateway-error.js';
import type { CanonicalBlock } from '../../operations/chat/canonical/blocks.js';
import type {
  CanonicalResult,
  CanonicalUsage,
  FinishReason,
} from '../../operations/chat/canonical/canonical-result.js';
import { isObject, objectOf, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { readTokenCount } from '../../runtime/token-count.js';
import { mapErrorObject } from '../errors/map-error.js';
import { argumentsOf } from '../openai-chat/read-messages.js';
import type { ReadContext } from '../wire-format.js';
import { namelessCall } from '../nameless-call.js';

/** @throws GatewayError where there is no message */
export function readResponse(body: unknown, context: ReadContext): CanonicalResult {
  if (!isObject(body)) throw upstreamError({ message: 'The upstream provider answered with no JSON object.' });
  const { message, finish_reason: reason } = body;
  if (!isObject(message)) {
    if (typeof message === 'string') throw mapErrorObject(body, context.redact);
    throw upstreamError({ message: 'The upstream provider answered without a message.' });
  }
  const blocks = readBlocks(message, context);
  const usage = readUsage(body['usage']);
  const id = nonEmptyString(body['id']);
  return {
    ...(id !== undefined && { id }),
    choices: [
      {
        blocks,
        finish: readFinish(
          reason,
          blocks.some(({ type }) => type === 'tool_call'),
        ),
      },
    ],
    ...(usage !== undefined && { usage }),
  };
}

/** Whether the generation failed, for which a stream says why beside the reason. */
export function isFailure(reason: unknown): boolean {
  return reason === 'ERROR' || reason === 'TIMEOUT';
}

/** @throws GatewayError where the generation failed */
export function readFinish(reason: unknown, hasCalls: boolean): FinishReason {
  if (isFailure(reason)) throw upstreamError({ message: 'The upstream provider ended the generation early.' });
  switch (reason) {
    case 'MAX_TOKENS':
      return 'length';
    case 'STOP_SEQUENCE':
      return 'stop_sequence';
    case 'TOOL_CALL':
      return 'tool_calls';
    default:
      return hasCalls ? 'tool_calls' : 'stop';
  }
}

/** What is billed: `tokens` counts Cohere's own preamble as well, which is not charged. */
export function readUsage(usage: unknown): CanonicalUsage | undefined {
  if (!isObject(usage)) return undefined;
  const billed = countsOf(usage['billed_units']);
  const all = countsOf(usage['tokens']);
  const input = billed.input ?? all.input;
  const output = billed.output ?? all.output;
  if (input === undefined && output === undefined) return undefined;
  const cached = readTokenCount(usage['cached_tokens']);
  return {
    inputTokens: input ?? 0,
    outputTokens: output ?? 0,
    // The count of cached tokens is one of all tokens; more than what is billed cannot be cached of it.
    ...(cached !== undefined && cached > 0 && { cachedTokens: Math.min(cached, input ?? 0) }),
  };
}

function countsOf(value: unknown): { readonly input: number | undefined; readonly output: number | undefined } {
  const counts: JsonObject = objectOf(value);
  return { input: readTokenCount(counts['input_tokens']), output: readTokenCount(counts['output_tokens']) };
}

function readBlocks(message: JsonObject, { toolNames }: ReadContext): CanonicalBlock[] {
  const blocks: CanonicalBlock[] = [];
  const plan = nonEmptyString(message['tool_plan']);
  if (plan !== undefined) blocks.push({ type: 'thinking', text: plan });
  const { content, tool_calls: calls } = message;
  if (typeof content === 'string' && content !== '') blocks.push({ type: 'text', text: content });
  for (const part of Array.isArray(content) ? content.filter(isObject) : []) {
    const thinking = nonEmptyString(part['thinking']);
    const text = nonEmptyString(part['text']);
    if (part['type'] === 'thinking' && thinking !== undefined) blocks.push({ type: 'thinking', text: thinking });
    else if (text !== undefined) blocks.push({ type: 'text', text });
  }
  for (const call of Array.isArray(calls) ? calls.filter(isObject) : []) {
    const called: JsonObject = objectOf(call['function']);
    const name = nonEmptyString(called['name']);
    if (name === undefined) throw namelessCall();
    blocks.push({
      type: 'tool_call',
      id: nonEmptyString(call['id']) ?? '',
      name: toolNames?.get(name) ?? name,
      kind: 'function',
      input: argumentsOf(called['arguments']),
    });
  }
  return blocks;
}
