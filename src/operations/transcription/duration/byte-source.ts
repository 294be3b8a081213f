/** A file of which any stretch can be read. */
export interface ByteSource {
  /** Bytes. */
  readonly size: number;
  /** @returns fewer bytes where the file ends before */
  read(position: number, length: number): Promise<Buffer>;
}

/** Longest duration that is accepted from a header, in seconds: a week. */
export const MAX_SECONDS = 604_800;

/** A duration that a header may state; undefined for anything else. */
export function plausibleSeconds(seconds: number): number | undefined {
  return Number.isFinite(seconds) && seconds > 0 && seconds <= MAX_SECONDS ? seconds : undefined;
}
