import type { WireFormat } from '../wire-format.js';
import { writeError } from './errors.js';
import { RESPONSES } from './item-extras.js';
import { readRequest } from './read-request.js';
import { readResponse } from './read-response.js';
import { ResponsesStreamReader } from './stream-reader.js';
import { ResponsesStreamWriter } from './stream-writer.js';
import { writeRequest } from './write-request.js';
import { writeResponse } from './write-response.js';

/** OpenAI's Responses API. */
export const OPENAI_RESPONSES: WireFormat = {
  name: RESPONSES,
  readRequest,
  writeRequest,
  readResponse,
  writeResponse,
  readStream: (context) => new ResponsesStreamReader(context),
  writeStream: (context) => new ResponsesStreamWriter(context),
  writeError,
};
