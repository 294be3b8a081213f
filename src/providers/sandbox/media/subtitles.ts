/** A stretch of a transcription, in seconds. */
export interface Segment {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Words of one subtitle. */
const WORDS_PER_SEGMENT = 6;

/** Spreads a text over a recording. */
export function segmentsOf(text: string, seconds: number): Segment[] {
  const words = text.split(' ');
  const segments: Segment[] = [];
  for (let first = 0; first < words.length; first += WORDS_PER_SEGMENT) {
    const last = Math.min(words.length, first + WORDS_PER_SEGMENT);
    segments.push({
      start: roundMs((seconds * first) / words.length),
      end: roundMs((seconds * last) / words.length),
      text: words.slice(first, last).join(' '),
    });
  }
  return segments;
}

/** SubRip. */
export function toSrt(segments: readonly Segment[]): string {
  const blocks = segments.map(
    ({ start, end, text }, index) => `${index + 1}\n${clock(start, ',')} --> ${clock(end, ',')}\n${text}\n`,
  );
  return `${blocks.join('\n')}\n`;
}

/** WebVTT. */
export function toVtt(segments: readonly Segment[]): string {
  const blocks = segments.map(({ start, end, text }) => `${clock(start, '.')} --> ${clock(end, '.')}\n${text}\n`);
  return `WEBVTT\n\n${blocks.join('\n')}\n`;
}

function clock(seconds: number, point: ',' | '.'): string {
  const ms = Math.round(seconds * 1_000);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const time = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1_000) % 60].map(two).join(':');
  return `${time}${point}${String(ms % 1_000).padStart(3, '0')}`;
}

function roundMs(seconds: number): number {
  return Math.round(seconds * 1_000) / 1_000;
}
