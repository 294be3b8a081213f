import { encodeEvent } from '../sse/sse-encoder.js';
import type { WireFormat } from '../wire-format.js';
import { writeError } from './errors.js';
import { withoutForeignThinking } from './foreign-thinking.js';
import { readRequest } from './read-request.js';
import { readResponse } from './read-response.js';
import { AnthropicStreamReader } from './stream-reader.js';
import { AnthropicStreamWriter } from './stream-writer.js';
import { writeRequest } from './write-request.js';
import { writeResponse } from './write-response.js';

/** Anthropic's Messages API. */
export const ANTHROPIC: WireFormat = {
  name: 'anthropic',
  readRequest,
  writeRequest,
  fitNative: withoutForeignThinking,
  endFrame: encodeEvent('message_stop', '{"type":"message_stop"}'),
  readResponse,
  writeResponse,
  readStream: (context) => new AnthropicStreamReader(context),
  writeStream: (context) => new AnthropicStreamWriter(context),
  writeError,
};
