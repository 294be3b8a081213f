import type { StreamWriter } from '../wire/wire-format.js';

/** The frames of a stream as one endpoint writes them. */
interface Frames<Group> {
  readonly writer: Pick<StreamWriter, 'ping' | 'error'> & StreamWriter;
  write(group: Group): string;
  end(): string;
}

/**
 * A stream as one JSON array, an element for each event: what `streamGenerateContent` sends without `alt=sse`.
 */
export class JsonArrayFrames<Group> {
  readonly writer: StreamWriter;
  private count = 0;

  constructor(private readonly frames: Frames<Group>) {
    const { writer } = frames;
    this.writer = {
      write: (chunks) => this.elements(writer.write(chunks)),
      // White space, which JSON allows anywhere.
      ping: () => '\n',
      end: () => this.close(writer.end()),
      error: (error) => this.close(writer.error(error)),
    };
  }

  write(group: Group): string {
    return this.elements(this.frames.write(group));
  }

  end(): string {
    return this.close(this.frames.end());
  }

  private close(text: string): string {
    const elements = this.elements(text);
    return `${elements}${this.count === 0 ? '[' : ''}]`;
  }

  /** Events of `text/event-stream`, which come whole, as elements. */
  private elements(text: string): string {
    let written = '';
    for (const frame of text.split(/\r?\n\r?\n/)) {
      const data = frame
        .split(/\r?\n/)
        .flatMap((line) => (line.startsWith('data:') ? [line.slice('data:'.length).trim()] : []))
        .join('\n');
      if (data === '') continue;
      written += `${this.count === 0 ? '[' : ',\r\n'}${data}`;
      this.count += 1;
    }
    return written;
  }
}
