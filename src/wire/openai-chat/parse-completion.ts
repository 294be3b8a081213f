import { beginsAsJson } from '../../runtime/json-value.js';
import { parseExact } from '../../runtime/exact-integers.js';
import type { ChatCompletion } from '../../operations/chat/chat-completion.js';
import { upstreamError } from '../../errors/gateway-error.js';
import { normaliseCompletion, NormaliseOptions } from './normalise-completion.js';

/** @throws GatewayError for anything that is no completion: HTML, an empty body, JSON that was cut short */
export function parseCompletion(text: string, options: NormaliseOptions): ChatCompletion {
  return normaliseCompletion(parseResponse(text), options);
}

/** @throws GatewayError when the text is no JSON; what it says is not repeated */
export function parseResponse(text: string): unknown {
  try {
    return parseExact(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (cause) {
    throw upstreamError({
      message:
        text.trim() === ''
          ? 'The upstream provider answered with an empty body.'
          : 'The upstream provider answered with something that is not whole JSON.',
      cause,
      // A provider bills a response that ends early.
      mayBeBilled: beginsAsJson(text),
    });
  }
}
