import { randomBytes } from 'node:crypto';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node, type YAMLMap } from 'yaml';
import type { ConfigFault } from './config-error.js';

/** A parsed file with the environment substituted, and a way back from a path to its line. */
export interface YamlSource {
  readonly value: unknown;
  readonly faults: readonly ConfigFault[];
  /** The environment variables that the file names. */
  readonly variables: readonly string[];
  /** @param path as `printPath` prints it; names in it may contain dots */
  readonly lineOf: (path: string) => number | undefined;
}

interface Placeholder {
  /** Whether it stands for its own text. */
  readonly escaped: boolean;
  readonly name: string;
  readonly fallback: string | undefined;
}

/** `${NAME}` or `${NAME:-default}`; with a second dollar sign before it, the text itself. */
export const PLACEHOLDER = /\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Parses YAML in which `${NAME}` and `${NAME:-default}` stand for environment variables; `$${NAME}` is the text itself.
 * Values are inserted after parsing: so a variable's text can never become YAML structure, and a placeholder needs no quotes
 * in a flow mapping (`{ api_key: ${KEY} }`). An empty variable counts as unset.
 */
export function readYaml(text: string, env: Readonly<Record<string, string | undefined>>): YamlSource {
  // Not to be foreseen, so that no text of the file can stand for a variable that is named elsewhere in it.
  const mark = `__variable_${randomBytes(8).toString('hex')}_`;
  const token = new RegExp(`${mark}(\\d+)__`, 'g');
  const placeholders: Placeholder[] = [];
  const prepared = text.replace(PLACEHOLDER, (_match, escape: string, name: string, fallback: string | undefined) => {
    placeholders.push({ escaped: escape === '$', name, fallback });
    return `${mark}${placeholders.length - 1}__`;
  });
  const lineCounter = new LineCounter();
  const document: Document = parseDocument(prepared, { lineCounter, uniqueKeys: true });
  const faults: ConfigFault[] = document.errors.map((error) => ({
    path: 'YAML',
    message: (error.message.split('\n')[0] ?? error.message).replace(/ at line \d+, column \d+:?$/, ''),
    line: error.linePos?.[0].line,
  }));
  const lineOf = (path: string): number | undefined => lineAt(document, lineCounter, path);
  const variables = placeholders.map(({ name }) => name);
  if (faults.length > 0) return { value: undefined, faults, variables, lineOf };

  const printed = ({ name, fallback }: Placeholder): string =>
    fallback === undefined ? `\${${name}}` : `\${${name}:-${fallback}}`;
  /** Names take no variables: what is set, and at which line, must be in the file. */
  const nameOf = (key: string, path: readonly (string | number)[]): string => {
    const used = [...key.matchAll(token)].flatMap(([, index]) => placeholders[Number(index)] ?? []);
    const name = key.replace(token, (text, index: string) => {
      const placeholder = placeholders[Number(index)];
      return placeholder === undefined ? text : printed(placeholder);
    });
    if (used.some(({ escaped }) => !escaped)) {
      faults.push({
        path: printPath([...path, name]),
        message: 'a name cannot contain a variable. Write the name itself',
        line: lineOf(printPath([...path, key])),
      });
    }
    return name;
  };
  const substitute = (value: unknown, path: readonly (string | number)[]): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => substitute(item, [...path, index]));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => {
          const name = nameOf(key, path);
          return [name, substitute(item, [...path, name])];
        }),
      );
    }
    if (typeof value !== 'string' || !value.includes(mark)) return value;
    const seen = { escaped: false };
    const result = value.replace(token, (_token, index: string) => {
      const placeholder = placeholders[Number(index)];
      if (placeholder === undefined) return '';
      const { escaped, name, fallback } = placeholder;
      if (escaped) {
        seen.escaped = true;
        return printed(placeholder);
      }
      const found = env[name] === '' ? undefined : env[name];
      if (found === undefined && fallback === undefined) {
        faults.push({
          path: printPath(path),
          message: `the environment variable ${name} is not set. Set it, or give a default: \${${name}:-default}`,
          line: lineOf(printPath(path)),
        });
      }
      return found ?? fallback ?? '';
    });
    return seen.escaped ? result : typed(result);
  };
  let written: unknown;
  try {
    written = document.toJS();
  } catch (error) {
    // Aliases that expand to far more than the file holds, or that have no anchor.
    const message = error instanceof Error ? error.message : String(error);
    return { value: undefined, faults: [{ path: 'YAML', message }], variables, lineOf };
  }
  return { value: substitute(written, []), faults, variables, lineOf };
}

/** `${PORT:-3000}` becomes a number, as if the number were written in the file. */
function typed(text: string): unknown {
  if (text === 'true') return true;
  if (text === 'false') return false;
  return /^(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?$/.test(text) ? Number(text) : text;
}

/** The line of the last step of a path that is there. */
function lineAt(document: Document, lineCounter: LineCounter, path: string): number | undefined {
  let node: unknown = document.contents;
  let offset = (node as Node | null)?.range?.[0];
  let rest = path;
  while (rest !== '') {
    if (isMap(node)) {
      const pair = longestMatch(node, rest);
      if (pair === undefined) break;
      const { name, key, value } = pair;
      offset = (key as Node | null)?.range?.[0] ?? offset;
      node = value;
      rest = rest.slice(name.length).replace(/^\./, '');
    } else if (isSeq(node)) {
      const [step = '', index] = /^\[(\d+)\]\.?/.exec(rest) ?? [];
      if (index === undefined) break;
      node = node.items[Number(index)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
      rest = rest.slice(step.length);
    } else break;
  }
  return offset === undefined ? undefined : lineCounter.linePos(offset).line;
}

/** The member whose name begins the path; the longest name, since `a.b` may stand beside `a`. */
function longestMatch(map: YAMLMap, path: string): { name: string; key: unknown; value: unknown } | undefined {
  return map.items
    .map(({ key, value }) => ({ name: String(isScalar(key) ? key.value : key), key, value }))
    .filter(({ name }) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`))
    .sort((first, second) => second.name.length - first.name.length)[0];
}

/** Prints a path as `models[0].deployments[1].provider`. */
export function printPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((printed, step) => {
    if (typeof step === 'number') return `${printed}[${step}]`;
    return printed === '' ? step : `${printed}.${step}`;
  }, '');
}
