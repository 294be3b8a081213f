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

/**
 * The body with another value of one field, and every other byte as it was. A field that the form does not have is put before
 * all others.
 */
export function replaceField(form: ReadForm, name: string, value: string): readonly BodySegment[] {
  const { boundary, parts, size, firstBoundary } = form;
  const part = parts.find((candidate) => candidate.name === name);
  if (part === undefined) {
    const added = `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    return [Buffer.from(added), { from: firstBoundary, to: size }];
  }
  return [{ from: 0, to: part.start }, Buffer.from(value), { from: part.end, to: size }];
}

/** Bytes of all segments together. */
export function lengthOf(segments: readonly BodySegment[]): number {
  return segments.reduce((sum, segment) => sum + ('from' in segment ? segment.to - segment.from : segment.length), 0);
}

/** The content type of a form, with its boundary in quotes where that is no token. */
export function formDataType(boundary: string): string {
  return `multipart/form-data; boundary=${/^[\w'+.-]+$/.test(boundary) ? boundary : `"${boundary}"`}`;
}
