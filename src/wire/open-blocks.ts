import type { BlockStart, CanonicalChunk } from '../operations/chat/canonical/canonical-result.js';

/**
 * The blocks of the one choice of a stream that are open, by the provider's own numbers. Canonical indices are contiguous.
 */
export class OpenBlocks {
  private next = 0;
  private readonly open = new Map<number, { readonly index: number; readonly type: BlockStart['type'] }>();

  /** The open block at an index; undefined for none. */
  at(position: number): { readonly index: number; readonly type: BlockStart['type'] } | undefined {
    return this.open.get(position);
  }

  /** Begins a block, and ends what was open at its place. @returns its canonical index */
  begin(position: number, block: BlockStart, out: CanonicalChunk[]): number {
    this.close(position, out);
    const index = this.next;
    this.next += 1;
    this.open.set(position, { index, type: block.type });
    out.push({ type: 'block_start', choice: 0, index, block });
    return index;
  }

  /** The index of the text or thinking at a place, which begins here where it has no start of its own. */
  indexOf(position: number, type: 'text' | 'thinking', out: CanonicalChunk[]): number {
    const block = this.open.get(position);
    return block?.type === type ? block.index : this.begin(position, { type }, out);
  }

  /** Adds to the text or thinking at a place. Nothing for what is no text, or empty. */
  write(position: number, type: 'text' | 'thinking', text: string | undefined, out: CanonicalChunk[]): void {
    if (text === undefined) return;
    out.push({ type: 'delta', choice: 0, index: this.indexOf(position, type, out), text });
  }

  close(position: number, out: CanonicalChunk[]): void {
    const block = this.open.get(position);
    if (block === undefined) return;
    out.push({ type: 'block_end', choice: 0, index: block.index });
    this.open.delete(position);
  }

  closeAll(out: CanonicalChunk[]): void {
    for (const position of [...this.open.keys()]) this.close(position, out);
  }
}
