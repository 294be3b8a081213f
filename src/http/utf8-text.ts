import { isAscii, isUtf8 } from 'node:buffer';
import { invalidRequest, type GatewayError } from '../errors/gateway-error.js';

const BYTE_ORDER_MARK = 0xfeff;

/** Decodes UTF-8 chunk by chunk, so that the work on a large body is spread over its arrival. A byte order mark is left out. */
export class Utf8Text {
  private text = '';
  /** The bytes of a character that ends in a later chunk. */
  private rest: Buffer | undefined;

  /** @throws GatewayError 400 for bytes that are no UTF-8 */
  write(chunk: Buffer): void {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    this.rest = undefined;
    if (isAscii(bytes)) {
      this.text += bytes.toString('latin1');
      return;
    }
    const end = completeLength(bytes);
    if (end < bytes.length) this.rest = Buffer.from(bytes.subarray(end));
    const whole = bytes.subarray(0, end);
    if (!isUtf8(whole)) throw invalidUtf8();
    this.text += whole.toString('utf8');
  }

  /** The whole text. @throws GatewayError 400 where it ends within a character */
  end(): string {
    if (this.rest !== undefined) throw invalidUtf8();
    return this.text.charCodeAt(0) === BYTE_ORDER_MARK ? this.text.slice(1) : this.text;
  }
}

/** @returns the length without the bytes of a last character that is not complete */
function completeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

/** 400: the body's bytes are no UTF-8. */
export function invalidUtf8(): GatewayError {
  return invalidRequest('The request body is not valid UTF-8.', null, 'invalid_json');
}
