import { invalidRequest } from '../../errors/gateway-error.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { RequestFields } from '../media/request-fields.js';

/** A request to read a text out. */
export interface SpeechRequest {
  readonly model: string;
  readonly input: string;
  readonly instructions: string | undefined;
  /** Such as `mp3` or `wav`; undefined leaves it to the provider. */
  readonly responseFormat: string | undefined;
  readonly speed: number;
  /** Whether the sound comes as server-sent events with base64, or as it is. */
  readonly streamFormat: 'audio' | 'sse';
  readonly user: string | undefined;
  /** The client's own body, which goes to the provider with another model alone. */
  readonly body: JsonObject;
}

/** Wider than what any provider takes. */
const SPEED = { min: 0.01, max: 100 };

/** @throws GatewayError 400 that names the field */
export function readSpeechRequest(body: unknown): SpeechRequest {
  if (!isObject(body)) throw invalidRequest('The request body must be a JSON object.', null, 'invalid_type');
  const fields = new RequestFields(body);
  const { voice } = body;
  if (voice !== undefined && voice !== null && typeof voice !== 'string' && !isObject(voice)) {
    throw invalidRequest(
      `'voice' must be the name of a voice, or an object such as {"id": "voice_1234"}.`,
      'voice',
      'invalid_type',
    );
  }
  return {
    model: fields.model(),
    input: fields.required('input'),
    instructions: fields.text('instructions'),
    responseFormat: fields.text('response_format'),
    speed: fields.number('speed', SPEED) ?? 1,
    streamFormat: fields.oneOf('stream_format', ['audio', 'sse']) ?? 'audio',
    user: fields.text('user'),
    body,
  };
}

/** Characters that are billed: code points, as providers count them. */
export function speechCharacters({ input }: Pick<SpeechRequest, 'input'>): number {
  let characters = 0;
  for (let at = 0; at < input.length; at += 1) {
    // The second half of a pair is no character of its own.
    const isSecondHalf = (input.charCodeAt(at) & 0xfc00) === 0xdc00 && (input.charCodeAt(at - 1) & 0xfc00) === 0xd800;
    if (!isSecondHalf) characters += 1;
  }
  return characters;
}
