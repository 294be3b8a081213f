import { GatewayError, invalidJson, invalidRequest } from '../../errors/gateway-error.js';
import { JsonBounds } from '../../http/json-bounds.js';
import { parseJson } from '../../http/read-json.js';
import { invalidUtf8 } from '../../http/utf8-text.js';
import {
  SPACE,
  QUOTE,
  COMMA,
  COLON,
  OPEN_BRACKET,
  BACKSLASH,
  CLOSE_BRACKET,
  OPEN_BRACE,
  CLOSE_BRACE,
} from '../../runtime/ascii.js';

/** Receives the parts of a body as they arrive. Values are raw JSON texts that are not parsed yet, within the bounds of JSON. */
export interface MemberSink {
  /**
   * A top-level member other than the list.
   * @param mayOverflow whether a number in it may be beyond a double
   */
  member(name: string, json: string, mayOverflow: boolean): void;
  /** The next element of the list. */
  element(json: string, mayOverflow: boolean): void;
}

/** A byte order mark in UTF-8. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** Bytes of a member's name. */
const MAX_NAME_BYTES = 1024;
/** Most members of the body, the list being one. */
const MAX_MEMBERS = 1000;

type Place =
  | 'start'
  | 'member-or-end'
  | 'member'
  | 'name'
  | 'colon'
  | 'value'
  | 'after-value'
  | 'element-or-end'
  | 'element'
  | 'after-element'
  | 'end';

/**
 * Splits one JSON object into its top-level members, and one of them, an array, into its elements, without buffering the
 * whole: memory is bounded by the largest single member or element. It finds boundaries only; JSON.parse decides whether a
 * part is valid JSON.
 */
export class JsonMembers {
  private place: Place = 'start';
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  private name = '';
  private isListElement = false;
  private hasList = false;
  /** State within the current value: nesting, whether inside a string, and after a backslash. */
  private depth = 0;
  private inString = false;
  private escaped = false;
  private isScalar = false;
  private readonly part = new JsonBounds();
  private size = 0;
  /** Bytes of the byte order mark that have arrived. */
  private markBytes = 0;
  private members = 0;
  private elements = 0;

  /**
   * @param list name of the member whose elements are wanted one by one
   * @param maxPart largest member or element, in bytes
   */
  constructor(
    private readonly list: string,
    private readonly maxPart: number,
    private readonly sink: MemberSink,
  ) {}

  /** @throws GatewayError 400 where the text cannot be an object of the expected shape */
  write(chunk: Buffer): void {
    let at = this.place === 'start' ? this.skipMark(chunk) : 0;
    while (at < chunk.length) {
      at =
        this.place === 'value' || this.place === 'element' || this.place === 'name'
          ? this.consume(chunk, at)
          : this.step(chunk, at);
    }
  }

  /** @throws GatewayError 400 when the text ended before the object did */
  end(): void {
    if (this.place !== 'end') throw invalidJson();
  }

  /** A byte order mark may begin the body (RFC 8259, 8.1). @returns the position after it */
  private skipMark(chunk: Buffer): number {
    let at = 0;
    while (this.markBytes < BYTE_ORDER_MARK.length && at < chunk.length) {
      if (chunk[at] !== BYTE_ORDER_MARK[this.markBytes]) {
        if (this.markBytes > 0) throw invalidUtf8();
        this.markBytes = BYTE_ORDER_MARK.length;
        return at;
      }
      this.markBytes += 1;
      at += 1;
    }
    return at;
  }

  /** Handles one structural byte between values. @returns the position to continue at */
  private step(chunk: Buffer, at: number): number {
    const byte = chunk[at] ?? SPACE;
    if (isSpace(byte)) return at + 1;
    switch (this.place) {
      case 'start':
        if (byte !== OPEN_BRACE) throw invalidRequest('The request body must be a JSON object.', null, 'invalid_type');
        this.place = 'member-or-end';
        return at + 1;
      case 'member-or-end':
      case 'member':
        if (byte === CLOSE_BRACE && this.place === 'member-or-end') {
          this.place = 'end';
          return at + 1;
        }
        if (byte !== QUOTE) throw invalidJson();
        this.members += 1;
        if (this.members > MAX_MEMBERS) {
          throw invalidRequest(`The request body has more than ${MAX_MEMBERS} members.`, null, 'object_above_max_keys');
        }
        this.begin('name');
        return at;
      case 'colon':
        if (byte !== COLON) throw invalidJson();
        this.place = this.name === this.list ? 'element-or-end' : 'value';
        if (this.place === 'value') this.begin('value');
        else if (this.hasList) throw invalidRequest(`'${this.list}' is given twice.`, this.list, 'duplicate_field');
        this.isListElement = false;
        return at + 1;
      case 'element-or-end':
        if (!this.isListElement) {
          if (byte !== OPEN_BRACKET) {
            // Not an array: pass it on as an ordinary member, whose type is validated there.
            this.begin('value');
            return at;
          }
          this.hasList = true;
          this.isListElement = true;
          return at + 1;
        }
        if (byte === CLOSE_BRACKET) {
          this.isListElement = false;
          this.place = 'after-value';
          return at + 1;
        }
        this.begin('element');
        return at;
      case 'after-element':
        if (byte === CLOSE_BRACKET) {
          this.isListElement = false;
          this.place = 'after-value';
        } else if (byte === COMMA) this.begin('element');
        else throw invalidJson();
        return at + 1;
      case 'after-value':
        if (byte === CLOSE_BRACE) this.place = 'end';
        else if (byte === COMMA) this.place = 'member';
        else throw invalidJson();
        return at + 1;
      default:
        throw invalidJson();
    }
  }

  private begin(place: 'name' | 'value' | 'element'): void {
    this.place = place;
    this.depth = 0;
    this.inString = false;
    this.escaped = false;
    this.isScalar = false;
    this.part.reset();
    this.size = 0;
  }

  /** Consumes bytes of a value up to its end or the chunk's. */
  private consume(chunk: Buffer, from: number): number {
    let at = from;
    if (this.size === 0) {
      while (at < chunk.length && isSpace(chunk[at] ?? 0)) at += 1;
      if (at === chunk.length) return at;
    }
    const start = at;
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (this.inString) {
        if (this.escaped) this.escaped = false;
        else if (byte === BACKSLASH) this.escaped = true;
        else if (byte === QUOTE) {
          this.inString = false;
          if (this.depth === 0) return this.finish(chunk, start, at + 1);
        }
        continue;
      }
      if (byte === QUOTE) {
        if (this.isScalar) throw invalidJson();
        this.inString = true;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (this.isScalar) throw invalidJson();
        this.depth += 1;
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        if (this.depth === 0) return this.finish(chunk, start, at);
        this.depth -= 1;
        if (this.depth === 0) return this.finish(chunk, start, at + 1);
      } else if (this.depth === 0) {
        if (byte === COMMA || isSpace(byte)) return this.finish(chunk, start, at);
        this.isScalar = true;
      }
    }
    this.keep(chunk, start, at);
    return at;
  }

  private keep(chunk: Buffer, start: number, end: number, isWhole = false): void {
    if (end === start) return;
    this.size += end - start;
    if (this.size > (this.place === 'name' ? MAX_NAME_BYTES : this.maxPart)) throw this.partTooLarge();
    const bytes = chunk.subarray(start, end);
    try {
      // Copied where it is kept, because the reader may reuse the memory of the chunk.
      this.part.write(isWhole ? bytes : Buffer.from(bytes));
    } catch (error) {
      throw error instanceof GatewayError ? this.named(error) : error;
    }
  }

  private partTooLarge(): GatewayError {
    if (this.place === 'name') {
      return invalidRequest(`A member's name is longer than ${MAX_NAME_BYTES} bytes.`, null, 'string_above_max_length');
    }
    const path = this.path();
    return invalidRequest(`'${path}' is larger than ${this.maxPart} bytes.`, path, 'string_above_max_length');
  }

  /** The path of the current part. */
  private path(): string {
    return this.place === 'element' ? `${this.list}[${this.elements}]` : this.name;
  }

  /** Adds the position in the body to a fault within a part. */
  private named(error: GatewayError): GatewayError {
    return inPart(error, this.path());
  }

  private finish(chunk: Buffer, start: number, end: number): number {
    const isWhole = this.size === 0;
    if (isWhole && end === start) throw invalidJson();
    this.keep(chunk, start, end, isWhole);
    const text = this.decode(this.part.bytes());
    const { mayOverflow } = this.part;
    this.part.reset();
    const { place } = this;
    if (place === 'name') {
      this.name = parseJson(text) as string;
      this.place = 'colon';
    } else if (place === 'element') {
      this.place = 'after-element';
      this.sink.element(text, mayOverflow);
      this.elements += 1;
    } else {
      this.place = 'after-value';
      this.sink.member(this.name, text, mayOverflow);
    }
    return end;
  }

  private decode(bytes: Uint8Array): string {
    try {
      return this.decoder.decode(bytes);
    } catch {
      throw invalidUtf8();
    }
  }
}

/** A fault of a part of the body, with its path in the part turned into the path in the body. */
export function inPart({ message, param, code }: GatewayError, part: string): GatewayError {
  if (param === null) return invalidRequest(message.replace('The request body', `'${part}'`), part, code ?? undefined);
  const path = param.startsWith('[') ? `${part}${param}` : `${part}.${param}`;
  return invalidRequest(message.replace(`'${param}'`, `'${path}'`), path, code ?? undefined);
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
