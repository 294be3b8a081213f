import type { ConfigFault } from '../config-error.js';
import type { FileScalar } from './file-scalars.js';

/**
 * Makes a name of a secret that says nothing of it: keyed, hexadecimal, of at least 12 digits, and the same for the same text in all
 * processes of a gateway.
 */
export type SecretNames = (secret: string) => string;

const NAME_DIGITS = 12;
const HIDDEN = new RegExp(`^<hidden:[0-9a-f]{${NAME_DIGITS}}>$`);
const LOOKS_HIDDEN = '<hidden';

/** Whether a value stands for one that is in the file. */
export function isHiddenValue({ text }: FileScalar): boolean {
  return HIDDEN.test(text);
}

/** A value as it is shown: its text, or `<hidden:0123456789ab>` in place of a credential. */
export function shownSource({ source, isHidden }: FileScalar, nameOf: SecretNames): string {
  return isHidden && !HIDDEN.test(source) ? `<hidden:${nameOf(source).slice(0, NAME_DIGITS)}>` : source;
}

/** The file with a name in place of each credential. Comments and names of variables stay. */
export function withoutSecrets(file: string, scalars: readonly FileScalar[], nameOf: SecretNames): string {
  return replaced(file, scalars, (scalar) => shownSource(scalar, nameOf));
}

/** A text with the credentials of the file in place of their names. */
export interface Restored {
  readonly text: string;
  readonly faults: readonly ConfigFault[];
}

/**
 * Puts the credentials of the file back, each at the place that it has there: a name that is moved elsewhere, where its value might be
 * shown or sent to another provider, is a fault.
 *
 * @param scalars of `edited`
 * @param before of the file in which the names stand for something
 */
export function withSecrets(
  edited: string,
  scalars: readonly FileScalar[],
  before: readonly FileScalar[],
  nameOf: SecretNames,
): Restored {
  const known = new Map(before.map((scalar) => [keyOf(scalar, shownSource(scalar, nameOf)), scalar]));
  const faults: ConfigFault[] = [];
  for (const scalar of scalars) {
    if (!scalar.text.includes(LOOKS_HIDDEN)) continue;
    if (isHiddenValue(scalar) && known.has(keyOf(scalar, scalar.text))) continue;
    const line = edited.slice(0, scalar.start).split('\n').length;
    const message = isHiddenValue(scalar)
      ? 'stands for a value that the file does not have here. Write the value itself, or a variable such as ${NAME}'
      : 'has a part that is hidden. Write the whole value, or a variable such as ${NAME}';
    faults.push({ path: scalar.path, message, line });
  }
  if (faults.length > 0) return { text: edited, faults };
  const text = replaced(edited, scalars, (scalar) => {
    const found = isHiddenValue(scalar) ? known.get(keyOf(scalar, scalar.text)) : undefined;
    if (found === undefined) return scalar.source;
    // A block of several lines cannot stand in the middle of a line.
    return found.isFlow ? found.source : JSON.stringify(found.text);
  });
  return { text, faults };
}

function keyOf({ place }: FileScalar, shown: string): string {
  return `${place} ${shown}`;
}

function replaced(file: string, scalars: readonly FileScalar[], sourceOf: (scalar: FileScalar) => string): string {
  // One to which aliases refer is listed several times; it is a credential if it is at one of its places.
  const sources = new Map<number, { readonly end: number; readonly source: string }>();
  for (const scalar of scalars) {
    const source = sourceOf(scalar);
    if (source !== scalar.source) sources.set(scalar.start, { end: scalar.end, source });
  }
  let text = '';
  let last = 0;
  for (const [start, { end, source }] of [...sources].sort(([first], [second]) => first - second)) {
    text += `${file.slice(last, start)}${source}`;
    last = end;
  }
  return `${text}${file.slice(last)}`;
}
