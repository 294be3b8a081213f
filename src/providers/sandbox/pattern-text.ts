import { MAX_STRING_CHARACTERS } from './sandbox-bounds.js';

/** A part of a pattern: one character of a set, alternatives of sequences, or nothing (an anchor). */
interface Part {
  readonly characters?: string;
  readonly group?: readonly (readonly Part[])[];
  readonly least: number;
  readonly most: number;
}

/** Patterns come from clients: longer ones are not read. */
const MAX_PATTERN_CHARACTERS = 500;
/** Nesting of groups that is read. */
const MAX_GROUP_DEPTH = 12;

const LETTERS = 'aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyYzZ';
const DIGITS = '0123456789';
const PRINTABLE = `${LETTERS}${DIGITS}_-.@ !"#$%&'()*+,/:;<=>?[\\]^\`{|}~`;
const CLASSES: Readonly<Record<string, string>> = {
  d: DIGITS,
  w: `${LETTERS}${DIGITS}_`,
  s: ' \t',
  D: LETTERS,
  W: '- .',
  S: `${LETTERS}${DIGITS}`,
  n: '\n',
  r: '\r',
  t: '\t',
  f: '\f',
  v: '\v',
};

/**
 * A text that matches a regular expression, of at least `minLength` characters where its repetitions allow it. It is generated from
 * the pattern in linear time: running a client's pattern could take exponential time.
 *
 * @returns undefined for unsupported syntax: look-around, back references, properties, boundaries inside
 */
export function textOf(pattern: string, minLength: number, maxLength: number): string | undefined {
  if (pattern.length > MAX_PATTERN_CHARACTERS) return undefined;
  const alternatives = new PatternReader(pattern).read();
  if (alternatives === undefined) return undefined;
  for (const alternative of alternatives) {
    const shortest = new PatternWriter(0).write(alternative);
    if (shortest === undefined || shortest.length > maxLength) continue;
    const wanted = Math.min(Math.max(minLength, 1), maxLength);
    const text = new PatternWriter(wanted - shortest.length).write(alternative) ?? shortest;
    // What does not end in an anchor may go on in any way.
    const whole = pattern.endsWith('$') ? text : text.padEnd(minLength, 'x');
    if (whole.length >= minLength && whole.length <= maxLength) return whole;
  }
  return undefined;
}

class PatternWriter {
  private length = 0;

  /** @param extra characters that are wanted beyond the shortest text */
  constructor(private extra: number) {}

  /** @returns undefined when the text becomes too long */
  write(sequence: readonly Part[]): string | undefined {
    let text = '';
    for (const part of sequence) {
      for (let count = 0; count < part.most; count += 1) {
        const isExtra = count >= part.least;
        if (isExtra && this.extra <= 0) break;
        const next = this.once(part);
        if (next === undefined) return undefined;
        if (isExtra) this.extra -= next.length;
        if (next === '') break;
        text += next;
      }
    }
    return text;
  }

  private once({ characters, group }: Part): string | undefined {
    if (group !== undefined) return this.write(group[0] ?? []);
    this.length += 1;
    return this.length > MAX_STRING_CHARACTERS ? undefined : characters?.slice(0, 1);
  }
}

class PatternReader {
  private at = 0;

  constructor(private readonly pattern: string) {}

  read(): readonly (readonly Part[])[] | undefined {
    const alternatives = this.alternatives(0);
    return this.at === this.pattern.length ? alternatives : undefined;
  }

  private alternatives(depth: number): Part[][] | undefined {
    if (depth > MAX_GROUP_DEPTH) return undefined;
    const all: Part[][] = [[]];
    while (this.at < this.pattern.length && this.pattern[this.at] !== ')') {
      if (this.pattern[this.at] === '|') {
        this.at += 1;
        all.push([]);
        continue;
      }
      const part = this.part(depth);
      if (part === undefined) return undefined;
      all.at(-1)?.push(part);
    }
    return all;
  }

  private part(depth: number): Part | undefined {
    const character = this.pattern[this.at] ?? '';
    this.at += 1;
    switch (character) {
      case '^':
      case '$':
        return { least: 0, most: 0 };
      case '(':
        return this.group(depth);
      case '[':
        return this.repeated(this.set());
      case '.':
        return this.repeated(PRINTABLE);
      case '\\':
        return this.repeated(this.escape());
      case '*':
      case '+':
      case '?':
      case '{':
        return undefined;
      default:
        return this.repeated(character);
    }
  }

  private group(depth: number): Part | undefined {
    if (this.pattern[this.at] === '?') {
      const name = /^\?(?::|<[A-Za-z_]\w*>)/.exec(this.pattern.slice(this.at, this.at + 40));
      if (name === null) return undefined;
      this.at += name[0].length;
    }
    const group = this.alternatives(depth + 1);
    if (group === undefined || this.pattern[this.at] !== ')') return undefined;
    this.at += 1;
    const times = this.times();
    return times === undefined ? undefined : { group, ...times };
  }

  private repeated(characters: string | undefined): Part | undefined {
    const times = this.times();
    return characters === undefined || characters === '' || times === undefined ? undefined : { characters, ...times };
  }

  private times(): { least: number; most: number } | undefined {
    const match = /^(?:([*+?])|\{(\d{1,9})(,)?(\d{1,9})?\})\??/.exec(this.pattern.slice(this.at, this.at + 30));
    if (match === null) return this.pattern[this.at] === '{' ? undefined : { least: 1, most: 1 };
    this.at += match[0].length;
    const [, sign, least, comma, most] = match;
    if (sign !== undefined) return { least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Infinity };
    const from = Number(least);
    return { least: from, most: comma === undefined ? from : most === undefined ? Infinity : Number(most) };
  }

  /** One character behind a backslash, or the characters of a class. */
  private escape(): string | undefined {
    const character = this.pattern[this.at] ?? '';
    this.at += 1;
    if (character === 'u' || character === 'x') {
      const code = (character === 'u' ? /^[\dA-Fa-f]{4}/ : /^[\dA-Fa-f]{2}/).exec(
        this.pattern.slice(this.at, this.at + 4),
      );
      if (code === null) return undefined;
      this.at += code[0].length;
      return String.fromCharCode(Number.parseInt(code[0], 16));
    }
    if (/[A-Za-z0-9]/.test(character)) return CLASSES[character];
    return character;
  }

  private set(): string | undefined {
    const isNegated = this.pattern[this.at] === '^';
    if (isNegated) this.at += 1;
    let characters = '';
    while (this.at < this.pattern.length && this.pattern[this.at] !== ']') {
      const from = this.member();
      if (from === undefined) return undefined;
      const isRange = this.pattern[this.at] === '-' && (this.pattern[this.at + 1] ?? ']') !== ']' && from.length === 1;
      if (!isRange) {
        characters += from;
        continue;
      }
      this.at += 1;
      const to = this.member();
      if (to?.length !== 1 || to < from) return undefined;
      for (let code = from.charCodeAt(0); code <= Math.min(to.charCodeAt(0), from.charCodeAt(0) + 200); code += 1)
        characters += String.fromCharCode(code);
    }
    if (this.pattern[this.at] !== ']') return undefined;
    this.at += 1;
    return isNegated ? [...PRINTABLE].filter((each) => !characters.includes(each)).join('') : characters;
  }

  private member(): string | undefined {
    const character = this.pattern[this.at] ?? '';
    this.at += 1;
    return character === '\\' ? this.escape() : character;
  }
}
