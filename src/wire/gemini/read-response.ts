import { upstreamError, type GatewayError } from '../../errors/gateway-error.js';
import type { CanonicalBlock, Extras } from '../../operations/chat/canonical/blocks.js';
import type {
  CanonicalChoice,
  CanonicalResult,
  FinishReason,
} from '../../operations/chat/canonical/canonical-result.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import type { ReadContext } from '../wire-format.js';
import { readErrorObject } from './errors.js';
import { readFinishReason } from './finish-reason.js';
import { readLogprobs } from './logprobs.js';
import { annotationsOf, candidateExtras, readResponsePart, type ResponsePart } from './response-parts.js';
import { member } from './spelling.js';
import { readBilledUsage } from './usage.js';

/** @throws GatewayError where the body is an error, or no response at all */
export function readResponse(body: unknown, context: ReadContext): CanonicalResult {
  if (!isObject(body)) throw unknownForm();
  if (body['error'] !== undefined && body['error'] !== null) throw readErrorObject(body, context.redact);
  const candidates: readonly unknown[] = Array.isArray(body['candidates']) ? body['candidates'] : [];
  const choices = candidates.filter(isObject).map((candidate) => readCandidate(candidate, context));
  const blocked = blockedPrompt(body);
  if (choices.length === 0 && blocked === undefined) {
    throw upstreamError({ message: 'The upstream provider answered with neither content nor a finish reason.' });
  }
  const usage = readBilledUsage(body);
  return {
    ...readHead(body),
    choices: choices.length > 0 ? choices : [{ blocks: [], finish: 'content_filter' }],
    ...(usage !== undefined && { usage }),
    ...(blocked !== undefined && { extras: { gemini: { promptFeedback: blocked } } }),
  };
}

/** The 502 for a response in an unknown form. */
export function unknownForm(): GatewayError {
  return upstreamError({ message: 'The upstream provider answered in a form that the gateway does not know.' });
}

/** The first members of a response or of a stream event. */
export function readHead(body: JsonObject): { id?: string; model?: string; created?: number } {
  const id = nonEmptyString(member(body, 'responseId'));
  const model = nonEmptyString(member(body, 'modelVersion'))?.replace(/^models\//, '');
  const time = nonEmptyString(member(body, 'createTime'));
  const milliseconds = time === undefined ? Number.NaN : Date.parse(time);
  return {
    ...(id !== undefined && { id }),
    ...(model !== undefined && { model }),
    ...(!Number.isNaN(milliseconds) && { created: Math.floor(milliseconds / 1000) }),
  };
}

/** `promptFeedback` that says that the prompt was refused. */
export function blockedPrompt(body: JsonObject): JsonObject | undefined {
  const feedback = member(body, 'promptFeedback');
  if (!isObject(feedback)) return undefined;
  return nonEmptyString(member(feedback, 'blockReason')) === undefined ? undefined : feedback;
}

function readCandidate(candidate: JsonObject, { toolNames }: ReadContext): CanonicalChoice {
  const { content } = candidate;
  const listed = isObject(content) ? content['parts'] : undefined;
  const parts: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const blocks: CanonicalBlock[] = [];
  for (const each of parts) {
    const part = readResponsePart(each, toolNames);
    if (part !== undefined) addPart(blocks, part);
  }
  const extras = choiceExtras(candidate);
  const logprobs = readLogprobs(member(candidate, 'logprobsResult'));
  return {
    blocks,
    finish: finishOf(candidate, blocks),
    ...(logprobs !== undefined && { logprobs }),
    ...(extras !== undefined && { extras }),
  };
}

/** @returns what only Gemini has of a candidate, and its web pages in OpenAI's form */
export function choiceExtras(candidate: JsonObject): Extras | undefined {
  const gemini = candidateExtras(candidate);
  if (gemini === undefined) return undefined;
  const annotations = annotationsOf(gemini);
  return { gemini, ...(annotations.length > 0 && { 'openai-chat': { annotations } }) };
}

/** Text that follows text of its kind belongs to it, up to a signature. */
function addPart(blocks: CanonicalBlock[], part: ResponsePart): void {
  if (part.type === 'whole') {
    blocks.push(part.block);
    return;
  }
  const { signature } = part;
  const signed = signature === undefined ? {} : { signature };
  if (part.type === 'tool_call') {
    blocks.push({ type: 'tool_call', id: part.id, name: part.name, kind: 'function', input: part.input, ...signed });
    return;
  }
  const last = blocks.at(-1);
  if (last?.type === part.type && last.signature === undefined) {
    blocks[blocks.length - 1] = { ...last, text: last.text + part.text, ...signed };
  } else if (part.text !== '' || signature !== undefined) {
    blocks.push({ type: part.type, text: part.text, ...signed });
  }
}

/** The response arrived as complete JSON, so that it was not cut off: a missing reason can be inferred. */
function finishOf(candidate: JsonObject, blocks: readonly CanonicalBlock[]): FinishReason {
  const hasToolCalls = blocks.some(({ type }) => type === 'tool_call');
  const reason = readFinishReason(member(candidate, 'finishReason'), hasToolCalls);
  if (reason === 'failed') throw brokenGeneration(candidate);
  if (reason !== undefined) return reason;
  if (blocks.length > 0) return hasToolCalls ? 'tool_calls' : 'stop';
  throw upstreamError({ message: 'The upstream provider answered with neither content nor a finish reason.' });
}

/** The model wrote a call, or an image, that Google could not read. Another try often succeeds. */
export function brokenGeneration(candidate: JsonObject): GatewayError {
  const reason = String(member(candidate, 'finishReason'));
  return upstreamError({ message: `The upstream provider ended the generation early (${reason.slice(0, 60)}).` });
}
