import type { ErrorCode } from '../errors/error-codes.js';
import { invalidRequest, type GatewayError } from '../errors/gateway-error.js';
import {
  QUOTE,
  COMMA,
  COLON,
  OPEN_BRACKET,
  BACKSLASH,
  CLOSE_BRACKET,
  OPEN_BRACE,
  CLOSE_BRACE,
} from '../runtime/ascii.js';

/** Deeper nesting than any real request has, and far below what recursion can take. */
export const MAX_DEPTH = 64;
/** Most members of one object. An object of more takes V8 milliseconds to build. */
export const MAX_OBJECT_KEYS = 10_000;
/** Most members of all objects of a body, or of one task of a batch. */
export const MAX_KEYS = 100_000;
/** Most values of a body, or of one task of a batch: array elements, objects and arrays. */
export const MAX_VALUES = 500_000;

/** Array elements and members whose names are shown in the path of a fault. */
const MAX_PATH_STEPS = 6;
/** Characters of a member's name that are shown. */
const MAX_NAME_CHARACTERS = 60;
/** Digits in a row from which on a number may be beyond a double. */
const LONG_NUMBER_DIGITS = 300;
/** Bytes of a string that are looked at one by one, before the search for its end is left to the machine. */
const SHORT_STRING_BYTES = 48;

/**
 * Holds a JSON text to its bounds of depth, members and values while its bytes arrive, so that a text which would take long to
 * parse or to walk is refused before either begins. It looks at structure alone: whether the text is JSON is for JSON.parse.
 */
export class JsonBounds {
  /** Whether a number may be beyond a double, which `assertFinite` then looks for. */
  mayOverflow = false;
  private chunks: Buffer[] = [];
  private length = 0;
  private depth = 0;
  private keys = 0;
  private values = 0;
  private inString = false;
  private isEscaped = false;
  private digits = 0;
  private stringStart = 0;
  private stringEnd = 0;
  /** Of the objects and arrays that are open, by depth: members so far, or the index of the element. */
  private readonly counts = new Int32Array(MAX_DEPTH + 1);
  private readonly isArray = new Uint8Array(MAX_DEPTH + 1);
  /** Where the name of the member is that is open, in bytes of the whole text. */
  private readonly nameStarts = new Float64Array(MAX_DEPTH + 1);
  private readonly nameEnds = new Float64Array(MAX_DEPTH + 1);

  /** @param maxKeys most members of all objects */
  constructor(private readonly maxKeys: number = MAX_KEYS) {}

  /** @throws GatewayError 400 that names the path of what is beyond a bound */
  write(chunk: Buffer): void {
    this.chunks.push(chunk);
    const base = this.length;
    this.length += chunk.length;
    let at = this.inString ? this.skipString(chunk, 0, base) : 0;
    while (at < chunk.length) {
      const byte = chunk[at] ?? 0;
      if (byte === QUOTE) {
        this.stringStart = base + at + 1;
        this.inString = true;
        at = this.skipString(chunk, at + 1, base);
        continue;
      }
      this.structure(byte);
      at += 1;
    }
  }

  /** Begins with another text. */
  reset(): void {
    this.mayOverflow = false;
    this.chunks = [];
    this.length = 0;
    this.depth = 0;
    this.keys = 0;
    this.values = 0;
    this.inString = false;
    this.isEscaped = false;
    this.digits = 0;
    this.counts[0] = 0;
  }

  /** The whole text so far. */
  bytes(): Buffer {
    const [first] = this.chunks;
    return this.chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.chunks);
  }

  private structure(byte: number): void {
    switch (byte) {
      case COLON:
        this.keys += 1;
        this.nameStarts[this.depth] = this.stringStart;
        this.nameEnds[this.depth] = this.stringEnd;
        this.digits = 0;
        if ((this.counts[this.depth] = (this.counts[this.depth] ?? 0) + 1) > MAX_OBJECT_KEYS) {
          throw fault(this.path(this.depth - 1), `has more than ${MAX_OBJECT_KEYS} members`, 'object_above_max_keys');
        }
        if (this.keys > this.maxKeys) {
          throw fault(this.path(1), `has more than ${this.maxKeys} members in all`, 'object_above_max_keys');
        }
        return;
      case COMMA:
        this.digits = 0;
        if (this.isArray[this.depth] === 1) this.counts[this.depth] = (this.counts[this.depth] ?? 0) + 1;
        this.addValue();
        return;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (this.depth === MAX_DEPTH) throw tooDeep(this.path(MAX_PATH_STEPS));
        this.depth += 1;
        this.counts[this.depth] = 0;
        this.isArray[this.depth] = byte === OPEN_BRACKET ? 1 : 0;
        this.addValue();
        return;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (this.depth > 0) this.depth -= 1;
        return;
      default:
        if (byte >= 0x30 && byte <= 0x39) {
          this.digits += 1;
          if (this.digits > LONG_NUMBER_DIGITS) this.mayOverflow = true;
        } else if (byte === 0x65 || byte === 0x45) {
          // `e` stands in `true` and `false` as well, but never behind a digit.
          if (this.digits > 0) this.mayOverflow = true;
        } else if (byte !== 0x2e) this.digits = 0;
    }
  }

  private addValue(): void {
    this.values += 1;
    if (this.values > MAX_VALUES) {
      throw fault(this.path(1), `has more than ${MAX_VALUES} values`, 'array_above_max_length');
    }
  }

  /** @returns the next position: after the end of the string, or the end of the chunk */
  private skipString(chunk: Buffer, from: number, base: number): number {
    let at = from;
    for (;;) {
      if (this.isEscaped && at < chunk.length) {
        this.isEscaped = false;
        at += 1;
      }
      const start = at;
      const short = Math.min(chunk.length, at + SHORT_STRING_BYTES);
      while (at < short && chunk[at] !== QUOTE) at += 1;
      if (at === short && at < chunk.length) at = chunk.indexOf(QUOTE, at);
      const isCut = at === -1 || at >= chunk.length;
      if (isCut) at = chunk.length;
      let backslash = at - 1;
      while (backslash >= start && chunk[backslash] === BACKSLASH) backslash -= 1;
      const isEscaped = (at - 1 - backslash) % 2 === 1;
      if (isCut) {
        this.isEscaped = this.isEscaped || isEscaped;
        return at;
      }
      at += 1;
      if (isEscaped) continue;
      this.inString = false;
      this.stringEnd = base + at - 1;
      return at;
    }
  }

  /** The path of what is open now, down to a depth. */
  private path(depth: number): string | null {
    let path = '';
    for (let level = 1; level <= Math.min(depth, this.depth, MAX_PATH_STEPS); level += 1) {
      if (this.isArray[level] === 1) path += `[${this.counts[level] ?? 0}]`;
      else if ((this.counts[level] ?? 0) > 0) path += `${path === '' ? '' : '.'}${this.nameAt(level)}`;
    }
    return path === '' ? null : path;
  }

  private nameAt(level: number): string {
    const start = this.nameStarts[level] ?? 0;
    const end = Math.min(this.nameEnds[level] ?? 0, start + 4 * MAX_NAME_CHARACTERS);
    const raw = this.bytes().toString('utf8', start, end);
    let name = raw;
    try {
      name = JSON.parse(`"${raw}"`) as string;
    } catch {
      // Cut within an escape: shown as it was written.
    }
    return name.slice(0, MAX_NAME_CHARACTERS).toWellFormed();
  }
}

/**
 * Refuses numbers that no double holds: JSON.parse makes Infinity of them, and JSON.stringify null of that. The value must be
 * within the bounds of depth.
 *
 * @throws GatewayError 400 that names the path of the first
 */
export function assertFinite(value: unknown): void {
  const path = pathOfInfinity(value);
  if (path !== undefined) {
    throw fault(path === '' ? null : path, 'is a number beyond the range of a double', 'invalid_value');
  }
}

function pathOfInfinity(value: unknown): string | undefined {
  if (value === Infinity || value === -Infinity) return '';
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const path = pathOfInfinity(value[index]);
      if (path !== undefined) return join(`[${index}]`, path);
    }
    return undefined;
  }
  for (const name of Object.keys(value)) {
    const path = pathOfInfinity((value as Record<string, unknown>)[name]);
    if (path !== undefined) return join(name.slice(0, MAX_NAME_CHARACTERS).toWellFormed(), path);
  }
  return undefined;
}

function join(step: string, rest: string): string {
  return rest === '' || rest.startsWith('[') ? `${step}${rest}` : `${step}.${rest}`;
}

function fault(path: string | null, what: string, code: ErrorCode): GatewayError {
  return invalidRequest(`${path === null ? 'The request body' : `'${path}'`} ${what}. Send less.`, path, code);
}

/** 400: nested deeper than MAX_DEPTH. */
export function tooDeep(path: string | null): GatewayError {
  const what = path === null ? 'The request body' : `'${path}'`;
  return invalidRequest(`${what} is nested deeper than ${MAX_DEPTH} levels. Flatten it.`, path, 'too_deeply_nested');
}
