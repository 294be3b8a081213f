import type { MultipartPart } from './multipart-reader.js';

/** A stretch of a body: bytes of the original, or bytes that stand in their place. */
export type BodySegment = { readonly from: number; readonly to: number } | Buffer;

/** A form as it was read. */
export interface ReadForm {
  readonly boundary: string;
  readonly parts: readonly MultipartPart[];
  /** Bytes of the whole body. */
  readonly size: number;
  /** Offset of the first boundary line. */
  readonly firstBoundary: number;
}

/** The changes to a form. */
export interface FormEdit {
  /** The one field that gets another value. A form without it gets it before all others. */
  readonly field: string;
  readonly value: string;
  /** Names of parts that are left out, all of that name. */
  readonly remove?: ReadonlySet<string>;
}

const END_OF_LINE_BYTES = 2;

/** The body with that edit, and every other byte as it was. */
export function editForm(form: ReadForm, { field, value, remove }: FormEdit): readonly BodySegment[] {
  const { boundary, parts, size, firstBoundary } = form;
  const segments: BodySegment[] = [];
  let copied = 0;
  if (!parts.some(({ name }) => name === field)) {
    const added = `--${boundary}\r\ncontent-disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`;
    segments.push(Buffer.from(added));
    copied = firstBoundary;
  }
  let boundaryLine = firstBoundary;
  for (const { name, start, end } of parts) {
    const next = end + END_OF_LINE_BYTES;
    if (name === field) {
      segments.push({ from: copied, to: start }, Buffer.from(value));
      copied = end;
    } else if (remove?.has(name) === true) {
      segments.push({ from: copied, to: boundaryLine });
      copied = next;
    }
    boundaryLine = next;
  }
  segments.push({ from: copied, to: size });
  return segments;
}

/** Bytes of all segments together. */
export function lengthOf(segments: readonly BodySegment[]): number {
  return segments.reduce((sum, segment) => sum + ('from' in segment ? segment.to - segment.from : segment.length), 0);
}

/** The content type of a form, with its boundary in quotes where that is no token. */
export function formDataType(boundary: string): string {
  return `multipart/form-data; boundary=${/^[\w'+.-]+$/.test(boundary) ? boundary : `"${boundary}"`}`;
}
