/** Frames of `application/vnd.amazon.eventstream`: lengths and a checksum, headers, payload, a checksum. */
import { crc32 } from 'node:zlib';

const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const STRING_HEADER = 7;

function header(name, value) {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(value));
  return Buffer.concat([
    Buffer.from([name.length]),
    Buffer.from(name),
    Buffer.from([STRING_HEADER]),
    length,
    Buffer.from(value),
  ]);
}

/**
 * An event of this type with a JSON payload.
 * @param {string} type
 * @param {object} payload
 */
export function eventFrame(type, payload) {
  const headers = Buffer.concat([
    header(':event-type', type),
    header(':content-type', 'application/json'),
    header(':message-type', 'event'),
  ]);
  const body = Buffer.from(JSON.stringify(payload));
  const frame = Buffer.alloc(PRELUDE_BYTES + headers.length + body.length + CHECKSUM_BYTES);
  frame.writeUInt32BE(frame.length, 0);
  frame.writeUInt32BE(headers.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  headers.copy(frame, PRELUDE_BYTES);
  body.copy(frame, PRELUDE_BYTES + headers.length);
  frame.writeUInt32BE(crc32(frame.subarray(0, frame.length - CHECKSUM_BYTES)), frame.length - CHECKSUM_BYTES);
  return frame;
}
