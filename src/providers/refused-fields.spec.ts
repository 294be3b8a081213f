import { GatewayError } from '../errors/gateway-error.js';
import { RefusedFields } from './refused-fields.js';

function refusal(message: string, param: string | null = null, status = 400): GatewayError {
  return new GatewayError({ status, type: 'invalid_request_error', code: null, message, param });
}

describe('fields that models refuse', () => {
  test.each([
    ['OpenAI', 'Unrecognized request argument supplied: reasoning_effort', null, 'reasoning_effort'],
    ['OpenAI', "Unsupported parameter: 'top_p' is not supported with this model.", 'top_p', 'top_p'],
    [
      'OpenAI',
      "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
      'temperature',
      'temperature',
    ],
    ['Groq', "property 'verbosity' is unsupported", null, 'verbosity'],
    ['Mistral', 'store: Extra inputs are not permitted', null, 'store'],
    [
      "OpenAI's Responses",
      "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
      'reasoning.effort',
      'reasoning_effort',
    ],
    [
      'Claude',
      '`temperature` and `top_p` cannot both be specified for this model. Please use only one.',
      null,
      'top_p',
    ],
    ['Claude', '`temperature` is deprecated for this model.', null, 'temperature'],
    [
      'Gemini',
      'Thinking level is not supported for this model. Use thinking_level of another.',
      null,
      'reasoning_effort',
    ],
    [
      'Bedrock',
      'Malformed input request: #: extraneous key [top_k] is not permitted, please reformat your input and try again.',
      null,
      'top_k',
    ],
  ])('are learned from the words of %s: %s', (_provider, message, param, field) => {
    const refused = new RefusedFields();
    expect(refused.learn('a', refusal(message, param))).toBe(field);
    expect([...refused.of('a')]).toEqual([field]);
    expect([...refused.of('b')]).toEqual([]);
  });

  test.each([
    [
      'a field that the request needs',
      refusal("Unsupported parameter: 'tools' is not supported with this model.", 'tools'),
    ],
    ['a value that is wrong', refusal('temperature must be between 0 and 2', 'temperature')],
    ['a signature', refusal('messages.1.content.0: Invalid `signature` in `thinking` block')],
    ['a message', refusal('Unexpected role: a user message must follow')],
    ['a failure', refusal('seed is not supported', 'seed', 503)],
    ['an error of another kind', new Error('seed is not supported')],
  ])('are not learned from %s', (_name, error) => {
    expect(new RefusedFields().learn('a', error)).toBeUndefined();
  });
});
