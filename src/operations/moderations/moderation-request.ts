import { isObject } from '../../runtime/json-value.js';

/** A part of an input that has pictures: `{type: "text", text}` or `{type: "image_url", image_url: {url}}`. */
export interface ModerationPart {
  readonly type: string;
  readonly [field: string]: unknown;
}

/**
 * A moderations request, as OpenAI has it and as the client sent it. Members that are not named here pass through to
 * OpenAI-compatible providers.
 */
export interface ModerationRequest {
  readonly model: string;
  /** One text, several (a result for each), or the parts of one input (one result). */
  readonly input: string | readonly string[] | readonly ModerationPart[];
  readonly [field: string]: unknown;
}

/** Most texts of one request. */
export const MAX_MODERATION_INPUTS = 2_048;

/** Whether the input is the parts of one message. */
export function hasParts(input: ModerationRequest['input']): input is readonly ModerationPart[] {
  return Array.isArray(input) && isObject(input[0]);
}

/** The number of results in the response. */
export function resultCount({ input }: ModerationRequest): number {
  return typeof input === 'string' || hasParts(input) ? 1 : input.length;
}

/** All text of a request, for an estimate of its tokens. */
export function moderationTexts({ input }: ModerationRequest): string[] {
  if (typeof input === 'string') return [input];
  if (!hasParts(input)) return [...input];
  return input.flatMap(({ text }) => (typeof text === 'string' ? [text] : []));
}

/** How many pictures a request has. */
export function imageCount({ input }: ModerationRequest): number {
  return hasParts(input) ? input.filter(({ type }) => type === 'image_url').length : 0;
}
