import type { WireFormat } from '../wire-format.js';
import { writeError } from './errors.js';
import { readRequest } from './read-request.js';
import { readResponse } from './read-response.js';
import { GeminiStreamReader } from './stream-reader.js';
import { GeminiStreamWriter } from './stream-writer.js';
import { writeRequest } from './write-request.js';
import { writeResponse } from './write-response.js';

/**
 * `generateContent` and `streamGenerateContent?alt=sse` of the Gemini API and of Vertex AI.
 * https://ai.google.dev/api/generate-content
 */
export const GEMINI: WireFormat = {
  name: 'gemini',
  readRequest,
  writeRequest,
  readResponse,
  writeResponse,
  readStream: (context) => new GeminiStreamReader(context),
  writeStream: (context) => new GeminiStreamWriter(context),
  writeError,
};
