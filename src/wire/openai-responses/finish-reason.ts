import type { FinishReason } from '../../operations/chat/canonical/canonical-result.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';

/** Why a response ended, from its status and its blocks. */
export function readFinish(response: JsonObject, blocks: readonly { readonly type: string }[]): FinishReason {
  if (response['status'] === 'incomplete') {
    const details = response['incomplete_details'];
    return isObject(details) && details['reason'] === 'content_filter' ? 'content_filter' : 'length';
  }
  if (blocks.some(({ type }) => type === 'tool_call')) return 'tool_calls';
  return blocks.some(({ type }) => type === 'refusal') ? 'refusal' : 'stop';
}

/** The status of a response, with its error or reason. */
export interface WrittenFinish {
  readonly status: 'completed' | 'incomplete';
  readonly incomplete_details: { readonly reason: 'max_output_tokens' | 'content_filter' } | null;
}

/** Status of a response that has ended for a reason. */
export function writeFinish(reason: FinishReason, blocks: readonly { readonly type: string }[]): WrittenFinish {
  if (reason === 'length' || reason === 'context_length') {
    return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
  }
  // A refusal in words is a part of the message, and the response is whole.
  const isFiltered = reason === 'refusal' && !blocks.some(({ type }) => type === 'refusal');
  if (reason === 'content_filter' || isFiltered) {
    return { status: 'incomplete', incomplete_details: { reason: 'content_filter' } };
  }
  return { status: 'completed', incomplete_details: null };
}
