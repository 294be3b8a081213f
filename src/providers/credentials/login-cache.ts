/** The result of a login. Times in epoch milliseconds. */
export interface Login<Value> {
  readonly value: Value;
  /** Infinity for a value that does not expire. */
  readonly expiresAt: number;
  /** From when a new login replaces the value although it can still be used. Default: shortly before it expires. */
  readonly refreshAt?: number;
}

/** The longest time before the expiry at which a new login begins. Of short lifetimes it is a quarter. */
const MAX_REFRESH_AHEAD_MS = 300_000;
const REFRESH_AHEAD_SHARE = 0.25;
/** A value that expires while its request is on the way is refused, so it counts as expired a little earlier. */
const MAX_EXPIRY_MARGIN_MS = 10_000;
const EXPIRY_MARGIN_SHARE = 0.1;
/** After a failed login no other one begins for so long; meanwhile calls get the same reason. */
const PAUSE_AFTER_FAILURE_MS = 1_000;
/** The same pause while the previous value can still be used. */
const PAUSE_AFTER_FAILED_REFRESH_MS = 10_000;

/** A value that was refused is replaced at most this often: the refusal may be about permissions, which no login changes. */
const PAUSE_AFTER_REFUSAL_MS = 30_000;

interface Held<Value> {
  readonly value: Value;
  readonly usableUntil: number;
  readonly refreshAt: number;
}

/**
 * The credentials of one login, shared by all calls. One login is in flight at a time. It is repeated before the value expires,
 * by the first call from then on, which does not wait for it; a failed one leaves the value in use until it expires.
 */
export class LoginCache<Value> {
  private held: Held<Value> | undefined;
  private inFlight: Promise<Value> | undefined;
  private failure: { readonly reason: Error; readonly at: number } | undefined;

  private refusedAt: number | undefined;

  /**
   * @param now epoch milliseconds
   * @param elapsed milliseconds that never run backwards
   */
  constructor(
    private readonly logIn: () => Promise<Login<Value>>,
    private readonly now: () => number = Date.now,
    private readonly elapsed: () => number = () => performance.now(),
  ) {}

  /**
   * The value, at once where there is one.
   *
   * @throws the reason of `logIn`, also that of a login that failed a moment ago
   */
  get(): Value | Promise<Value> {
    const { held } = this;
    if (held !== undefined) {
      const now = this.now();
      if (now < held.usableUntil) {
        if (
          now >= held.refreshAt &&
          this.inFlight === undefined &&
          !this.hasJustFailed(PAUSE_AFTER_FAILED_REFRESH_MS)
        ) {
          this.renew().catch(() => undefined);
        }
        return held.value;
      }
    }
    if (this.inFlight !== undefined) return this.inFlight;
    if (this.failure !== undefined && this.hasJustFailed(PAUSE_AFTER_FAILURE_MS)) {
      return Promise.reject(this.failure.reason);
    }
    return this.renew();
  }

  /**
   * A provider has refused a value that has not expired: it may have been revoked, or keys were rotated. The value stays in use
   * unless a login gives another one.
   *
   * @returns whether there is another value now; rejects never
   */
  async replace(refused: Value): Promise<boolean> {
    const { held } = this;
    if (held === undefined) return false;
    if (!isSame(held.value, refused)) return true;
    // One that never changes.
    if (held.usableUntil === Infinity && held.refreshAt === Infinity) return false;
    if (this.inFlight === undefined) {
      if (this.refusedAt !== undefined && this.elapsed() - this.refusedAt < PAUSE_AFTER_REFUSAL_MS) return false;
      this.refusedAt = this.elapsed();
    }
    try {
      return !isSame(await (this.inFlight ?? this.renew()), refused);
    } catch {
      return false;
    }
  }

  private hasJustFailed(pauseMs: number): boolean {
    return this.failure !== undefined && this.elapsed() - this.failure.at < pauseMs;
  }

  private renew(): Promise<Value> {
    const login = this.login().finally(() => {
      this.inFlight = undefined;
    });
    this.inFlight = login;
    return login;
  }

  private async login(): Promise<Value> {
    try {
      const { value, expiresAt, refreshAt } = await this.logIn();
      const now = this.now();
      const left = Math.max(0, expiresAt - now);
      this.held = {
        value,
        usableUntil: expiresAt - Math.min(MAX_EXPIRY_MARGIN_MS, left * EXPIRY_MARGIN_SHARE),
        refreshAt: Math.min(
          refreshAt ?? Infinity,
          expiresAt - Math.min(MAX_REFRESH_AHEAD_MS, left * REFRESH_AHEAD_SHARE),
        ),
      };
      this.failure = undefined;
      return value;
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown : new Error('The login failed for no known reason.');
      this.failure = { reason, at: this.elapsed() };
      throw reason;
    }
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
