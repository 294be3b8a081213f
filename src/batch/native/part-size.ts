/** How many lines a part may have. */
export interface PartBounds {
  readonly minLines: number;
  readonly maxLines: number;
}

/**
 * The lines of the next part of those that wait: as many as it may have, but for those that the last part would lack to have as many as
 * it must.
 */
export function partSize(waiting: number, { minLines, maxLines }: PartBounds): number {
  const most = Math.max(minLines, maxLines);
  const rest = waiting - most;
  const missing = rest > 0 && rest < minLines ? minLines - rest : 0;
  return most - missing >= minLines ? most - missing : most;
}
