import { encodeEvent } from '../../../wire/sse/sse-encoder.js';

/** An event as OpenAI sends those of images and sound. */
export function eventFrame(type: string, fields: object): Buffer {
  return Buffer.from(encodeEvent(type, JSON.stringify({ type, ...fields })));
}
