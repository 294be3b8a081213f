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

/** A larger value is not kept, so that the finder needs little memory. */
const MAX_VALUE_BYTES = 256 * 1024;

/**
 * Finds one member in JSON text that passes in pieces, split anywhere, without parsing or keeping the rest: `['body', 'usage']`
 * is the text of `body.usage`. The text is assumed to be valid JSON.
 */
export class MemberFinder {
  private depth = 0;
  /** Names of the path whose objects the scanner is in; the innermost of them is at depth `matched + 1`. */
  private matched = 0;
  private inString = false;
  /** Whether the last piece ended within an escape of a string. */
  private isEscaped = false;
  private expectsName = false;
  private isName = false;
  private nameMatches = false;
  /** Set while a name or the value is collected. */
  private collected: Buffer[] | undefined;
  private collectedBytes = 0;
  private isValue = false;
  private text: string | undefined;

  constructor(private readonly path: readonly string[]) {}

  /** The JSON text of the last such member so far; undefined if there is none. */
  get value(): string | undefined {
    return this.text;
  }

  write(piece: Buffer): void {
    let from = this.collected === undefined ? -1 : 0;
    const { length } = piece;
    for (let at = 0; at < length;) {
      if (this.inString) {
        const end = this.endOfString(piece, at);
        if (end === -1) break;
        at = end + 1;
        this.inString = false;
        if (this.isName) {
          this.collect(piece, from, at);
          this.endName();
          from = -1;
        }
        continue;
      }
      const byte = piece[at] ?? 0;
      if (this.isValue && from === -1 && byte > SPACE && byte !== COLON) {
        this.collected = [];
        this.collectedBytes = 0;
        from = at;
      }
      switch (byte) {
        case QUOTE:
          this.inString = true;
          this.isName = this.expectsName && this.isOnPath;
          if (this.isName) {
            this.collected = [];
            this.collectedBytes = 0;
            from = at;
          }
          break;
        case COLON:
          if (!this.isOnPath) break;
          this.expectsName = false;
          this.isValue = this.nameMatches && this.matched === this.path.length - 1;
          break;
        case COMMA:
          if (!this.isOnPath) break;
          from = this.endValue(piece, from, at);
          this.expectsName = true;
          break;
        case OPEN_BRACE:
        case OPEN_BRACKET:
          this.open(byte);
          break;
        case CLOSE_BRACE:
        case CLOSE_BRACKET:
          if (this.isOnPath) {
            from = this.endValue(piece, from, at);
            if (this.matched > 0) this.matched -= 1;
          }
          this.depth -= 1;
          break;
        default:
      }
      at += 1;
    }
    if (from !== -1) this.collect(piece, from, length);
  }

  private get isOnPath(): boolean {
    return this.depth === this.matched + 1;
  }

  private open(byte: number): void {
    const isStep = byte === OPEN_BRACE && this.isOnPath && this.nameMatches && !this.isValue && !this.expectsName;
    this.depth += 1;
    if (isStep) this.matched += 1;
    if (!isStep && this.depth > 1) return;
    this.expectsName = byte === OPEN_BRACE;
    this.nameMatches = false;
  }

  /** @returns the position of the quote that ends the string; -1 when it is in a later piece */
  private endOfString(piece: Buffer, start: number): number {
    let from = start;
    if (this.isEscaped) {
      this.isEscaped = false;
      from += 1;
    }
    for (;;) {
      const quote = piece.indexOf(QUOTE, from);
      const end = quote === -1 ? piece.length : quote;
      let backslashes = 0;
      while (end - 1 - backslashes >= from && piece[end - 1 - backslashes] === BACKSLASH) backslashes += 1;
      const isOdd = backslashes % 2 === 1;
      if (quote === -1) {
        this.isEscaped = isOdd;
        return -1;
      }
      if (!isOdd) return quote;
      from = quote + 1;
    }
  }

  private collect(piece: Buffer, from: number, end: number): void {
    this.collectedBytes += end - from;
    // A copy: the piece itself is not kept.
    if (this.collectedBytes <= MAX_VALUE_BYTES) this.collected?.push(Buffer.from(piece.subarray(from, end)));
  }

  private endName(): void {
    const name = this.take();
    this.isName = false;
    this.nameMatches = name !== undefined && JSON.parse(name) === this.path[this.matched];
  }

  private endValue(piece: Buffer, from: number, end: number): number {
    if (!this.isValue || from === -1) return from;
    this.collect(piece, from, end);
    this.text = this.take()?.trimEnd();
    this.isValue = false;
    this.nameMatches = false;
    return -1;
  }

  private take(): string | undefined {
    const { collected, collectedBytes } = this;
    this.collected = undefined;
    return collected === undefined || collectedBytes > MAX_VALUE_BYTES
      ? undefined
      : Buffer.concat(collected).toString('utf8');
  }
}
