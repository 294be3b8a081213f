/** A request or a message. Without a kind it is the response to the request with that id; id 0 expects no response. */
type Frame = readonly [kind: string, id: number, payload?: unknown];

/**
 * One end of the channel between a worker and its primary. Frames of one turn of the event loop are sent in one message,
 * because sending a message costs far more than its content.
 */
export class IpcChannel {
  private readonly handlers = new Map<string, (payload: unknown) => unknown>();
  private readonly waiting = new Map<number, (respond: unknown) => void>();
  private outgoing: Frame[] = [];
  private lastId = 0;
  private isClosed = false;

  /** @param post sends a message that is serializable as JSON; it may be lost when the other end has closed */
  constructor(private readonly post: (message: unknown) => void) {}

  /** Registers the handler for requests and messages of a kind. */
  handle(kind: string, handler: (payload: unknown) => unknown): void {
    this.handlers.set(kind, handler);
  }

  /** @returns the response; undefined when the other end has no handler, its handler fails, or it has closed */
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

  /** Handles a message from the channel. */
  receive(message: unknown): void {
    if (this.isClosed || !Array.isArray(message)) return;
    for (const [kind, id, payload] of message as Frame[]) {
      if (kind !== '') void this.respond(kind, id, payload);
      else {
        this.waiting.get(id)?.(payload);
        this.waiting.delete(id);
      }
    }
  }

  /** The other end has closed: pending requests resolve with undefined. */
  close(): void {
    this.isClosed = true;
    this.outgoing = [];
    for (const resolve of this.waiting.values()) resolve(undefined);
    this.waiting.clear();
  }

  private async respond(kind: string, id: number, payload: unknown): Promise<void> {
    let respond: unknown;
    try {
      respond = await this.handlers.get(kind)?.(payload);
    } catch {
      // The caller continues without a response.
    }
    if (id !== 0) this.send(respond === undefined ? ['', id] : ['', id, respond]);
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
