/** Puts the text of a second response behind the text that was sent of the first. Pure: text in, text to send out. */
export interface TextJoin {
  /**
   * @returns the text to send now; empty while it is not certain
   * @throws Contradiction where the second response says something else than what was sent
   */
  push(text: string): string;
  /**
   * The second response has ended.
   *
   * @returns the text that was not certain until then
   * @throws Contradiction where it is shorter than what was sent
   */
  end(): string;
  /** Whether all that was sent has its place in the second response. */
  readonly isJoined: boolean;
  /** Whether text was pushed that may still be sent. */
  readonly isHolding: boolean;
}

/** The second response does not agree with what the client has. */
export class Contradiction extends Error {
  constructor() {
    super('the second response does not agree with what was sent');
    this.name = 'Contradiction';
  }
}

/** A response from the start: what agrees with the text that was sent is left out. */
export class RestartJoin implements TextJoin {
  readonly isHolding = false;
  private matched = 0;

  constructor(private readonly sent: string) {}

  get isJoined(): boolean {
    return this.matched === this.sent.length;
  }

  push(text: string): string {
    const length = Math.min(text.length, this.sent.length - this.matched);
    if (!this.sent.startsWith(text.slice(0, length), this.matched)) throw new Contradiction();
    this.matched += length;
    return text.slice(length);
  }

  end(): string {
    if (!this.isJoined) throw new Contradiction();
    return '';
  }
}

/** Characters that a repetition must have, so that it is not taken for text that happens to be alike. */
const MIN_OVERLAP_CHARACTERS = 8;
/** Characters of the end of the text that are searched for a repetition. */
const MAX_OVERLAP_CHARACTERS = 400;
/** Characters by which a response that begins again is recognised. */
const BEGINNING = 24;
const WORDS = /[\p{L}\p{N}]+/gu;
const LETTER = /\p{L}/u;

/**
 * A response that goes on from the text that was sent. Models repeat the last words of it, or begin again in spite of the
 * request: a repetition is left out, and a response that begins again is joined as a restarted one. Until it is certain which it is,
 * the text is held.
 */
export class ContinueJoin implements TextJoin {
  private held = '';
  private isDecided = false;
  private restart: RestartJoin | undefined;
  private readonly tail: string;

  /** @param asked the text that the model was asked to go on from; it may lack the last white space of what was sent */
  constructor(
    private readonly sent: string,
    private readonly asked: string = sent,
  ) {
    this.tail = sent.slice(-MAX_OVERLAP_CHARACTERS);
  }

  get isJoined(): boolean {
    return this.restart?.isJoined ?? true;
  }

  get isHolding(): boolean {
    return this.held !== '';
  }

  push(text: string): string {
    if (this.restart !== undefined) return this.restart.push(text);
    if (this.isDecided) return text;
    this.held += text;
    return this.mayBeginAgain() || this.mayRepeat() ? '' : this.decide();
  }

  end(): string {
    if (this.restart !== undefined) return this.restart.end();
    if (this.isDecided || this.held === '') return '';
    const text = this.decide();
    if (!this.isJoined) throw new Contradiction();
    return text;
  }

  /** Whether it may still turn out to be a response from the start. */
  private mayBeginAgain(): boolean {
    return this.held.length < Math.min(BEGINNING, this.asked.length) && this.asked.startsWith(this.held);
  }

  /** Whether it may still turn out to repeat the end of the text. */
  private mayRepeat(): boolean {
    return this.held.length <= this.tail.length && this.tail.includes(this.held);
  }

  private decide(): string {
    const { held, sent, asked } = this;
    this.isDecided = true;
    this.held = '';
    if (beginsAgain(held, asked)) {
      this.restart = new RestartJoin(sent);
      return this.restart.push(held);
    }
    const space = sent.slice(asked.length);
    const rest = held.slice(alikeStart(held, space));
    const overlap = Math.max(overlapOf(sent, held), space === '' ? 0 : overlapOf(asked, held));
    return overlap > 0 ? withoutOverlap(held, overlap, sent) : rest;
  }
}

/** White space that stands at the end of the text and was not asked for may come once more. */
function alikeStart(text: string, space: string): number {
  let length = 0;
  while (length < space.length && text[length] === space[length]) length += 1;
  return length;
}

function withoutOverlap(text: string, overlap: number, sent: string): string {
  const rest = text.slice(overlap);
  const trailing = /\s+$/.exec(sent)?.[0] ?? '';
  const repeated = text.slice(0, overlap);
  return repeated.endsWith(trailing) ? rest : rest.slice(alikeStart(rest, trailing));
}

/**
 * Whether a response is one from the start: it has the beginning of the text, or all of a short one. Texts of letters do not begin
 * with what stands before them.
 *
 * @throws Contradiction for a short text without a letter, such as `1` or `**`, behind which the same may stand once more
 */
function beginsAgain(text: string, asked: string): boolean {
  if (asked.length >= BEGINNING) return text.startsWith(asked.slice(0, BEGINNING));
  if (asked === '' || !text.startsWith(asked)) return false;
  if (!LETTER.test(asked)) throw new Contradiction();
  return true;
}

/**
 * Characters at the start of a text that repeat the end of another. Only what no text has by chance counts: at least two different
 * words that stand nowhere else in the text, or the last word where the two would run into each other.
 */
function overlapOf(sent: string, text: string): number {
  for (let length = Math.min(sent.length, text.length, MAX_OVERLAP_CHARACTERS); length > 0; length -= 1) {
    const repeated = text.slice(0, length);
    if (!sent.endsWith(repeated)) continue;
    return isRepetition(repeated, sent) ? length : 0;
  }
  return 0;
}

function isRepetition(repeated: string, sent: string): boolean {
  const before = sent.slice(0, -repeated.length);
  const words = wordsOf(repeated);
  if (repeated.length >= MIN_OVERLAP_CHARACTERS && new Set(words).size > 1) return !before.includes(repeated);
  // "only" behind "only" without a space between them.
  const isWholeWord = words.length === 1 && words[0] === repeated && !/[\p{L}\p{N}]$/u.test(before);
  return isWholeWord && repeated.length >= 4 && !before.endsWith(repeated);
}

function wordsOf(text: string): string[] {
  return text.match(WORDS) ?? [];
}
