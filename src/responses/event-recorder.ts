/** From an event until it is stored, so that those who read it elsewhere wait no longer. */
const FLUSH_MS = 200;
/** Characters of events that are stored at once. */
const PIECE_CHARACTERS = 64 * 1024;
const STORE_ATTEMPTS = 5;
const STORE_RETRY_MS = 2_000;

/**
 * Stores the events of one response as they are made, several at a time, in pieces that are numbered from 0. A piece that cannot be
 * stored ends it: the pieces before stay, and readers get the whole response with its last event.
 */
export class EventRecorder {
  private pending = '';
  private piece = 0;
  private hasFailed = false;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly store: (piece: number, frames: string) => Promise<void>) {}

  add(frames: string): void {
    if (frames === '' || this.hasFailed) return;
    this.pending += frames;
    if (this.pending.length >= PIECE_CHARACTERS) void this.flush();
    else this.timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  /** Resolves when all that was added is stored, or cannot be. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const frames = this.pending;
    this.pending = '';
    if (frames !== '') {
      const { piece } = this;
      this.piece += 1;
      this.writing = this.writing.then(() => this.write(piece, frames));
    }
    return this.writing;
  }

  private async write(piece: number, frames: string): Promise<void> {
    for (let attempt = 1; attempt <= STORE_ATTEMPTS && !this.hasFailed; attempt += 1) {
      try {
        await this.store(piece, frames);
        return;
      } catch {
        if (attempt === STORE_ATTEMPTS) this.hasFailed = true;
        else await new Promise((resolve) => setTimeout(resolve, STORE_RETRY_MS).unref());
      }
    }
  }
}
