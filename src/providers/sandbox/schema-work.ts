import {
  beyondBound,
  MAX_INSTANCE_CHARACTERS,
  MAX_ITEMS,
  MAX_SCHEMA_STEPS,
  MAX_STRING_CHARACTERS,
} from './sandbox-bounds.js';

/** Keeps the work for one instance of a schema, and the instance's size, within bounds. Each method throws a 400 beyond its own. */
export class SchemaWork {
  private steps = 0;
  private characters = 0;
  private readonly sizes = new WeakMap<object, number>();

  /** @param param path of the schema in the request */
  constructor(private readonly param: string) {}

  /** @param count properties, keywords or alternatives that are looked at */
  step(count = 1): void {
    this.steps += count;
    if (this.steps > MAX_SCHEMA_STEPS) {
      throw beyondBound(
        `looks at ${MAX_SCHEMA_STEPS} schemas and properties for one answer, and this schema asks for more. Send a simpler one`,
        this.param,
      );
    }
  }

  /** A text that becomes part of the instance. */
  text(length: number): void {
    this.characters += length;
    if (this.characters > MAX_INSTANCE_CHARACTERS) {
      throw beyondBound(
        `makes answers of at most ${MAX_INSTANCE_CHARACTERS} characters, and this schema asks for more. Send a smaller one`,
        this.param,
      );
    }
  }

  /** A value of the schema itself that becomes part of the instance. */
  value(value: unknown): void {
    if (typeof value !== 'object' || value === null) {
      this.text(typeof value === 'string' ? value.length : 8);
      return;
    }
    let size = this.sizes.get(value);
    if (size === undefined) {
      size = JSON.stringify(value).length;
      this.sizes.set(value, size);
    }
    this.text(size);
  }

  /** A string of at least `minLength` characters. */
  stringLength(minLength: number): void {
    if (minLength > MAX_STRING_CHARACTERS) {
      throw beyondBound(
        `makes strings of at most ${MAX_STRING_CHARACTERS} characters. Send a smaller 'minLength'`,
        this.param,
      );
    }
  }

  /** @param keyword that asks for so many elements or members */
  items(count: number, keyword: string): void {
    if (count > MAX_ITEMS) {
      throw beyondBound(`makes at most ${MAX_ITEMS} items. Send a smaller '${keyword}'`, this.param);
    }
  }
}
