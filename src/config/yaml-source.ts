import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { ConfigFault } from './config-error.js';

/** A parsed file with the environment substituted, and a way back from a path to its line. */
export interface YamlSource {
  readonly value: unknown;
  readonly faults: readonly ConfigFault[];
  /** The environment variables that the file names. */
  readonly variables: readonly string[];
  readonly lineOf: (path: readonly (string | number)[]) => number | undefined;
}

const PLACEHOLDER = /\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;
const TOKEN = /__gateway_placeholder_(\d+)__/g;

/**
 * Parses YAML in which `${NAME}` and `${NAME:-default}` stand for environment variables; `$${NAME}` is the text itself.
 * Values are put in after parsing, so that what a variable holds can never become structure, and so that a placeholder
 * may stand unquoted in a flow mapping (`{ api_key: ${KEY} }`). An empty variable counts as unset.
 */
export function readYaml(text: string, env: Readonly<Record<string, string | undefined>>): YamlSource {
  const placeholders: { escaped: boolean; name: string; fallback: string | undefined }[] = [];
  const prepared = text.replace(PLACEHOLDER, (_match, escape: string, name: string, fallback: string | undefined) => {
    placeholders.push({ escaped: escape === '$', name, fallback });
    return `__gateway_placeholder_${placeholders.length - 1}__`;
  });
  const lineCounter = new LineCounter();
  const document: Document = parseDocument(prepared, { lineCounter, uniqueKeys: true });
  const faults: ConfigFault[] = document.errors.map((error) => ({
    path: 'YAML',
    message: (error.message.split('\n')[0] ?? error.message).replace(/ at line \d+, column \d+:?$/, ''),
    line: error.linePos?.[0].line,
  }));
  const lineOf = (path: readonly (string | number)[]): number | undefined => lineAt(document, lineCounter, path);
  const variables = placeholders.map(({ name }) => name);
  if (faults.length > 0) return { value: undefined, faults, variables, lineOf };

  const substitute = (value: unknown, path: readonly (string | number)[]): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => substitute(item, [...path, index]));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, [...path, key])]));
    }
    if (typeof value !== 'string' || !value.includes('__gateway_placeholder_')) return value;
    const seen = { escaped: false };
    const result = value.replace(TOKEN, (_token, index: string) => {
      const placeholder = placeholders[Number(index)];
      if (placeholder === undefined) return '';
      const { escaped, name, fallback } = placeholder;
      if (escaped) {
        seen.escaped = true;
        return fallback === undefined ? `\${${name}}` : `\${${name}:-${fallback}}`;
      }
      const found = env[name] === '' ? undefined : env[name];
      if (found === undefined && fallback === undefined) {
        faults.push({
          path: printPath(path),
          message: `the environment variable ${name} is not set. Set it, or give a default: \${${name}:-default}`,
          line: lineOf(path),
        });
      }
      return found ?? fallback ?? '';
    });
    return seen.escaped ? result : typed(result);
  };
  return { value: substitute(document.toJS(), []), faults, variables, lineOf };
}

/** `${PORT:-3000}` should be a number where a number is meant, as if it had been written there. */
function typed(text: string): unknown {
  if (text === 'true') return true;
  if (text === 'false') return false;
  return /^(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?$/.test(text) ? Number(text) : text;
}

function lineAt(document: Document, lineCounter: LineCounter, path: readonly (string | number)[]): number | undefined {
  let node: unknown = document.contents;
  let offset = (node as Node | null)?.range?.[0];
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : String(key)) === String(step));
      if (pair === undefined) break;
      offset = (pair.key as Node | null)?.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  return offset === undefined ? undefined : lineCounter.linePos(offset).line;
}

/** `models[0].deployments[1].provider` */
export function printPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((printed, step) => {
    if (typeof step === 'number') return `${printed}[${step}]`;
    return printed === '' ? step : `${printed}.${step}`;
  }, '');
}
