import type { ProviderWire } from '../wire-format.js';
import { readResponse } from './read-response.js';
import { ConverseStreamReader } from './stream-reader.js';
import { writeRequest } from './write-request.js';

/** Bedrock's Converse, for models of every maker. No client of the gateway uses it. */
export const BEDROCK_CONVERSE: ProviderWire = {
  name: 'bedrock-converse',
  writeRequest,
  readResponse,
  readStream: (context) => new ConverseStreamReader(context),
};
