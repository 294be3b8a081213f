/** A line of a comparison of two texts. */
export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed';
  /** Number of the line before and after, from 1; null where it is not there. */
  readonly before: number | null;
  readonly after: number | null;
  readonly text: string;
}

/** Lines around a change that are part of a comparison. */
const CONTEXT_LINES = 3;
/** Pairs of lines that are compared; where there are more, everything between the first and the last change counts as changed. */
const MAX_PAIRS = 4_000_000;

/** Lines that were added and removed, without those around them. */
export function changedLines(diff: readonly DiffLine[]): { readonly added: number; readonly removed: number } {
  const count = (kind: DiffLine['kind']): number => diff.filter((line) => line.kind === kind).length;
  return { added: count('added'), removed: count('removed') };
}

/** The lines that differ between two texts, with those around them, in the order of the texts. */
export function diffLines(before: string, after: string): DiffLine[] {
  const old = linesOf(before);
  const now = linesOf(after);
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let oldEnd = old.length;
  let nowEnd = now.length;
  while (oldEnd > start && nowEnd > start && old[oldEnd - 1] === now[nowEnd - 1]) {
    oldEnd -= 1;
    nowEnd -= 1;
  }
  const same = (index: number, shift: number): DiffLine => ({
    kind: 'same',
    before: index + 1,
    after: index + 1 + shift,
    text: old[index] ?? '',
  });
  const middle = compare(old.slice(start, oldEnd), now.slice(start, nowEnd)).map((line) => ({
    ...line,
    before: line.before === null ? null : line.before + start,
    after: line.after === null ? null : line.after + start,
  }));
  const shift = nowEnd - oldEnd;
  const whole = [
    ...range(Math.max(0, start - CONTEXT_LINES), start).map((index) => same(index, 0)),
    ...middle,
    ...range(oldEnd, Math.min(old.length, oldEnd + CONTEXT_LINES)).map((index) => same(index, shift)),
  ];
  const isNear = whole.map(() => false);
  whole.forEach(({ kind }, index) => {
    if (kind === 'same') return;
    isNear.fill(true, Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1);
  });
  return whole.filter((_line, index) => isNear[index]);
}

/** By the longest common subsequence. */
function compare(old: readonly string[], now: readonly string[]): DiffLine[] {
  const width = now.length + 1;
  const isTooLarge = old.length * now.length > MAX_PAIRS;
  // common[i * width + j]: length of the longest common subsequence of the ends that begin at i and j.
  const common = new Uint32Array(isTooLarge ? 0 : (old.length + 1) * width);
  const lengthAt = (i: number, j: number): number => common[i * width + j] ?? 0;
  if (!isTooLarge) {
    for (let i = old.length - 1; i >= 0; i -= 1) {
      for (let j = now.length - 1; j >= 0; j -= 1) {
        common[i * width + j] =
          old[i] === now[j] ? lengthAt(i + 1, j + 1) + 1 : Math.max(lengthAt(i + 1, j), lengthAt(i, j + 1));
      }
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (!isTooLarge && i < old.length && j < now.length && old[i] === now[j]) {
      lines.push({ kind: 'same', before: i + 1, after: j + 1, text: old[i] ?? '' });
      i += 1;
      j += 1;
    } else if (i < old.length && (j >= now.length || lengthAt(i + 1, j) >= lengthAt(i, j + 1))) {
      lines.push({ kind: 'removed', before: i + 1, after: null, text: old[i] ?? '' });
      i += 1;
    } else {
      lines.push({ kind: 'added', before: null, after: j + 1, text: now[j] ?? '' });
      j += 1;
    }
  }
  return lines;
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  // The end of the last line begins no further one.
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);
}
