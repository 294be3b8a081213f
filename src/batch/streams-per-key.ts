import { rateLimitExceeded } from '../errors/gateway-error.js';

/** Counts the open streams of one kind for each key in this process, and refuses those above a limit. */
export class StreamsPerKey {
  private readonly open = new Map<string, number>();

  /** @param what the streams in the message, as "event streams" */
  constructor(
    private readonly limit: number,
    private readonly what: string,
  ) {}

  /**
   * Counts a stream until the returned function is called.
   *
   * @throws GatewayError 429 when the key has reached its limit
   */
  enter(keyId: string): () => void {
    const count = this.open.get(keyId) ?? 0;
    if (count >= this.limit) {
      throw rateLimitExceeded({
        message: `This key has ${this.limit} ${this.what} open, the most that it may have. Close one first.`,
        retryAfterMs: 1_000,
      });
    }
    this.open.set(keyId, count + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const left = (this.open.get(keyId) ?? 1) - 1;
      if (left === 0) this.open.delete(keyId);
      else this.open.set(keyId, left);
    };
  }
}
