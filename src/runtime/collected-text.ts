/** Pieces above which they are joined; as many as V8 reserves for an array that grows from empty. */
const MAX_PIECES = 16;

/**
 * Text that arrives in pieces and is read once, at the end. A piece that was cut out of a longer string keeps all of that string in
 * memory, so the pieces are copied into one string after every few.
 */
export class CollectedText {
  private joined = '';
  private readonly pieces: string[] = [];

  add(text: string): void {
    if (this.pieces.push(text) < MAX_PIECES) return;
    this.joined += this.pieces.join('');
    this.pieces.length = 0;
  }

  clear(): void {
    this.joined = '';
    this.pieces.length = 0;
  }

  toString(): string {
    return this.joined + this.pieces.join('');
  }
}
