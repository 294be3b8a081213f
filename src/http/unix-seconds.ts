/** Times in bodies are whole Unix seconds; inside they are epoch milliseconds. */
export function toUnixSeconds(milliseconds: number): number;
export function toUnixSeconds(milliseconds: number | null): number | null;
export function toUnixSeconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : Math.floor(milliseconds / 1_000);
}
