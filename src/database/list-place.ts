/** A place in a list that is sorted by time and id: that of a row, whether or not the row is still there. */
export interface ListPlace {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly id: string;
}

const CURSOR = /^([a-z]+_[\w-]{1,40})\.(\d{1,15})$/;

/** A place as a cursor, with characters that need no encoding in a query: `key_0123456789abcdef.1795392000000`. */
export function printPlace({ time, id }: ListPlace): string {
  return `${id}.${time}`;
}

/** @returns undefined for a text that is no cursor */
export function parsePlace(cursor: string): ListPlace | undefined {
  const [, id, time] = CURSOR.exec(cursor) ?? [];
  return id === undefined ? undefined : { id, time: Number(time) };
}
