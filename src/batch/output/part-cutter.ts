/** Where a part begins: at the results after an index, without so many bytes of them. */
export interface Place {
  readonly after: number;
  readonly skip: number;
}

/** Bytes of results. */
export interface Piece {
  readonly bytes: Buffer;
  /** The place of its first byte. */
  readonly place: Place;
}

/** A part, and where the next one begins. */
export interface Part {
  readonly body: Buffer;
  readonly next: Place;
}

/** Cuts results into parts of one size. It holds no more than one part. */
export class PartCutter {
  private pending: Buffer[] = [];
  private size = 0;

  constructor(private readonly partBytes: number) {}

  /** Adds the next piece. Each part must be used before the next is asked for. */
  *add({ bytes, place }: Piece): Generator<Part> {
    let start = 0;
    while (this.size + bytes.length - start >= this.partBytes) {
      const end = start + this.partBytes - this.size;
      this.pending.push(bytes.subarray(start, end));
      yield { body: this.take(), next: { after: place.after, skip: place.skip + end } };
      start = end;
    }
    if (start === bytes.length) return;
    this.pending.push(bytes.subarray(start));
    this.size += bytes.length - start;
  }

  /** What is left after the last piece; it may be empty. */
  rest(): Buffer {
    return this.take();
  }

  private take(): Buffer {
    const whole = Buffer.concat(this.pending);
    this.pending = [];
    this.size = 0;
    return whole;
  }
}
