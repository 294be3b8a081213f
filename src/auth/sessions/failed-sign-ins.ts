/** Failed sign-ins of one address within the window before further ones are refused unread. */
const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
/** Addresses that are remembered; beyond that the oldest are forgotten. */
const MAX_ADDRESSES = 10_000;

interface Failures {
  count: number;
  /** When they are forgotten; epoch milliseconds. */
  readonly endsAt: number;
}

/** Counts failed sign-ins by address, in this process. Keys are far too long to be guessed; this keeps attempts cheap. */
export class FailedSignIns {
  private readonly byAddress = new Map<string, Failures>();

  constructor(private readonly now: () => number = Date.now) {}

  /** @returns milliseconds until the address may try again; 0 if it may now */
  waitFor(address: string): number {
    const failures = this.current(address);
    return failures === undefined || failures.count < MAX_FAILURES ? 0 : failures.endsAt - this.now();
  }

  /** Counts a failure of an address. */
  add(address: string): void {
    const failures = this.current(address);
    if (failures !== undefined) {
      failures.count += 1;
      return;
    }
    for (const oldest of this.byAddress.keys()) {
      if (this.byAddress.size < MAX_ADDRESSES) break;
      this.byAddress.delete(oldest);
    }
    this.byAddress.delete(address);
    this.byAddress.set(address, { count: 1, endsAt: this.now() + WINDOW_MS });
  }

  private current(address: string): Failures | undefined {
    const failures = this.byAddress.get(address);
    return failures !== undefined && failures.endsAt > this.now() ? failures : undefined;
  }
}
