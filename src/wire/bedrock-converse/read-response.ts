import { upstreamError } from '../../errors/gateway-error.js';
import type { CanonicalBlock, Signature, ThinkingBlock } from '../../operations/chat/canonical/blocks.js';
import type {
  CanonicalResult,
  CanonicalUsage,
  FinishReason,
} from '../../operations/chat/canonical/canonical-result.js';
import { printExact } from '../../runtime/exact-integers.js';
import { isObject, nonEmptyString, objectOf, type JsonObject } from '../../runtime/json-value.js';
import { boundTokens, readTokenCount } from '../../runtime/token-count.js';
import type { ReadContext } from '../wire-format.js';
import { namelessCall } from '../nameless-call.js';
import { citedText, readCitations } from './citations.js';

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  tool_use: 'tool_calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'context_length',
  stop_sequence: 'stop_sequence',
  guardrail_intervened: 'content_filter',
  content_filtered: 'content_filter',
  refusal: 'refusal',
};

/** @throws GatewayError where there is no message */
export function readResponse(body: unknown, context: ReadContext): CanonicalResult {
  const output = isObject(body) ? body['output'] : undefined;
  const message = isObject(output) ? output['message'] : undefined;
  if (!isObject(body) || !isObject(message)) {
    throw upstreamError({ message: 'The upstream provider answered without a message.' });
  }
  const content = Array.isArray(message['content']) ? message['content'].filter(isObject) : [];
  const blocks = content.flatMap((block) => readBlock(block, context) ?? []);
  const usage = readBilledUsage(body);
  return {
    choices: [
      {
        blocks,
        finish: readFinish(
          body['stopReason'],
          blocks.some(({ type }) => type === 'tool_call'),
        ),
      },
    ],
    ...(usage !== undefined && { usage }),
  };
}

/** An unknown word means that the model has stopped. */
export function readFinish(reason: unknown, hasCalls: boolean): FinishReason {
  const known = typeof reason === 'string' && Object.hasOwn(REASONS, reason) ? REASONS[reason] : undefined;
  if (known === 'tool_calls' && !hasCalls) return 'stop';
  return known ?? (hasCalls ? 'tool_calls' : 'stop');
}

/** `inputTokens` has neither what was read from a cache nor what was written into one. */
export function readUsage(usage: unknown): CanonicalUsage | undefined {
  if (!isObject(usage)) return undefined;
  const input = readTokenCount(usage['inputTokens']);
  const output = readTokenCount(usage['outputTokens']);
  if (input === undefined && output === undefined) return undefined;
  const read = readTokenCount(usage['cacheReadInputTokens']) ?? 0;
  const written = readTokenCount(usage['cacheWriteInputTokens']) ?? 0;
  const forAnHour = writtenForAnHour(usage['cacheDetails']);
  return {
    inputTokens: boundTokens((input ?? 0) + read + written),
    outputTokens: output ?? 0,
    ...(read > 0 && { cachedTokens: read }),
    ...(written > 0 && { cacheWriteTokens: written }),
    ...(forAnHour > 0 && { cacheWrite1hTokens: Math.min(forAnHour, written) }),
  };
}

/** The usage of a response with its service tier. */
export function readBilledUsage(body: JsonObject): CanonicalUsage | undefined {
  const usage = readUsage(body['usage']);
  const serviceTier = nonEmptyString(objectOf(body['serviceTier'])['type']);
  return usage === undefined || serviceTier === undefined ? usage : { ...usage, serviceTier };
}

function writtenForAnHour(details: unknown): number {
  let sum = 0;
  for (const detail of Array.isArray(details) ? details.filter(isObject) : []) {
    if (detail['ttl'] === '1h') sum += readTokenCount(detail['inputTokens']) ?? 0;
  }
  return sum;
}

/** Claude's signatures are the same on every cloud. */
export function readSignatureText(value: string): Signature {
  return { wire: 'anthropic', value };
}

/** @returns undefined for nothing to read */
export function readRedacted(data: unknown): ThinkingBlock | undefined {
  const value = nonEmptyString(data);
  if (value === undefined) return undefined;
  return { type: 'thinking', text: '', signature: { wire: 'bedrock-converse', value }, isRedacted: true };
}

function readBlock(block: JsonObject, { toolNames }: ReadContext): CanonicalBlock | undefined {
  const { text, toolUse, reasoningContent: reasoning, citationsContent: cited } = block;
  if (isObject(cited)) {
    const extras = readCitations(cited['citations']);
    const ofContent = citedText(cited['content']);
    return ofContent === '' ? undefined : { type: 'text', text: ofContent, ...(extras !== undefined && { extras }) };
  }
  if (typeof text === 'string') return text === '' ? undefined : { type: 'text', text };
  if (isObject(toolUse)) {
    const name = nonEmptyString(toolUse['name']);
    if (name === undefined) throw namelessCall();
    const input = printExact(toolUse['input'] ?? {});
    // A tool that only gives the response its form.
    if (toolNames?.get(name) === '') return { type: 'text', text: input };
    return {
      type: 'tool_call',
      id: nonEmptyString(toolUse['toolUseId']) ?? '',
      name: toolNames?.get(name) ?? name,
      kind: 'function',
      input,
    };
  }
  if (!isObject(reasoning)) return undefined;
  const { reasoningText, redactedContent } = reasoning;
  if (!isObject(reasoningText)) return readRedacted(redactedContent);
  const signature = nonEmptyString(reasoningText['signature']);
  return {
    type: 'thinking',
    text: nonEmptyString(reasoningText['text']) ?? '',
    ...(signature !== undefined && { signature: readSignatureText(signature) }),
  };
}
