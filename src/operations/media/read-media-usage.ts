import { isObject } from '../../runtime/json-value.js';
import { boundTokens, readTokenCount, type TokenCount } from '../../runtime/token-count.js';
import { readBilledTokens, type BilledTokens, type BilledUsage, type ModalityTokens } from '../billed-tokens.js';

/** Longest recording that is accepted, in seconds: a week. */
const MAX_SECONDS = 604_800;

/** The kind of tokens that a response has where its usage does not say it. */
export type OutputModality = 'text' | 'image' | 'audio';

/** Tokens and their kinds, as a provider reports them of images, speech and transcriptions; undefined where it does not. */
export function readMediaTokens(usage: unknown, output: OutputModality): BilledUsage | undefined {
  if (!isObject(usage)) return undefined;
  // OpenAI spells it in two ways.
  const inputDetails = usage['input_tokens_details'] ?? usage['input_token_details'] ?? usage['prompt_tokens_details'];
  const tokens = readBilledTokens({
    ...usage,
    ...(isObject(inputDetails) && { prompt_tokens_details: inputDetails }),
  });
  if (tokens === undefined) return undefined;
  return { ...tokens, modalities: modalitiesOf(tokens, inputDetails, usage['output_tokens_details'], output) };
}

/** `{type: "duration", seconds}` of a usage; undefined where it has none. */
export function readReportedSeconds(usage: unknown): number | undefined {
  return isObject(usage) ? readSeconds(usage['seconds']) : undefined;
}

/** A duration in seconds that came from outside; undefined for anything else. */
export function readSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d{1,9}(?:\.\d{1,20})?$/.test(value) ? Number(value) : value;
  return typeof seconds === 'number' && seconds >= 0 && seconds <= MAX_SECONDS ? seconds : undefined;
}

function modalitiesOf(
  { promptTokens, completionTokens }: BilledTokens,
  inputDetails: unknown,
  outputDetails: unknown,
  output: OutputModality,
): ModalityTokens {
  const imageInput = part(inputDetails, 'image_tokens', promptTokens);
  const audioInput = part(inputDetails, 'audio_tokens', boundTokens(promptTokens - imageInput));
  const ofOutput = (name: string, kind: OutputModality, most: TokenCount): TokenCount =>
    isObject(outputDetails) ? part(outputDetails, name, most) : boundTokens(output === kind ? most : 0);
  const imageOutput = ofOutput('image_tokens', 'image', completionTokens);
  const audioOutput = ofOutput('audio_tokens', 'audio', boundTokens(completionTokens - imageOutput));
  return { imageInput, audioInput, imageOutput, audioOutput };
}

function part(details: unknown, name: string, most: TokenCount): TokenCount {
  const count = isObject(details) ? (readTokenCount(details[name]) ?? 0) : 0;
  return boundTokens(Math.min(count, most));
}
