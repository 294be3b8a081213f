/** A question or a message; without a kind it is the answer to the question with that id, and id 0 wants no answer. */
type Frame = readonly [kind: string, id: number, payload?: unknown];

/**
 * One end of the channel between a worker and its primary. What is said in one turn of the event loop goes in one message: a
 * message costs far more than what it says.
 */
export class IpcChannel {
  private readonly handlers = new Map<string, (payload: unknown) => unknown>();
  private readonly waiting = new Map<number, (answer: unknown) => void>();
  private outgoing: Frame[] = [];
  private lastId = 0;
  private isClosed = false;

  /** @param post sends a message that can be written as JSON; it may be lost when the other end is gone */
  constructor(private readonly post: (message: unknown) => void) {}

  /** Answers questions of a kind, and takes messages of it. */
  handle(kind: string, handler: (payload: unknown) => unknown): void {
    this.handlers.set(kind, handler);
  }

  /** @returns the answer; undefined when the other end has none, fails to find it, or is gone */
  ask(kind: string, payload?: unknown): Promise<unknown> {
    if (this.isClosed) return Promise.resolve(undefined);
    this.lastId += 1;
    const id = this.lastId;
    this.send([kind, id, payload]);
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  notify(kind: string, payload?: unknown): void {
    this.send([kind, 0, payload]);
  }

  /** Takes a message of the channel. */
  receive(message: unknown): void {
    if (this.isClosed || !Array.isArray(message)) return;
    for (const [kind, id, payload] of message as Frame[]) {
      if (kind !== '') void this.answer(kind, id, payload);
      else {
        this.waiting.get(id)?.(payload);
        this.waiting.delete(id);
      }
    }
  }

  /** The other end is gone: whoever waits for it, waits no longer. */
  close(): void {
    this.isClosed = true;
    this.outgoing = [];
    for (const resolve of this.waiting.values()) resolve(undefined);
    this.waiting.clear();
  }

  private async answer(kind: string, id: number, payload: unknown): Promise<void> {
    let answer: unknown;
    try {
      answer = await this.handlers.get(kind)?.(payload);
    } catch {
      // Whoever asked goes on without the answer.
    }
    if (id !== 0) this.send(answer === undefined ? ['', id] : ['', id, answer]);
  }

  private send(frame: Frame): void {
    if (this.isClosed) return;
    if (this.outgoing.length === 0) setImmediate(() => this.flush());
    this.outgoing.push(frame);
  }

  private flush(): void {
    const frames = this.outgoing;
    this.outgoing = [];
    if (frames.length > 0) this.post(frames);
  }
}
