import type { ProviderWire } from '../wire-format.js';
import { readResponse } from './read-response.js';
import { CohereStreamReader } from './stream-reader.js';
import { writeRequest } from './write-request.js';

/** Cohere's Chat API, version 2. No client of the gateway uses it. */
export const COHERE: ProviderWire = {
  name: 'cohere',
  writeRequest,
  readResponse,
  readStream: (context) => new CohereStreamReader(context),
};
