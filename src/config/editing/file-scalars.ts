import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Node, type Scalar } from 'yaml';
import type { ConfigFault } from '../config-error.js';
import { PROCESS_SECTIONS, ROUTING_SECTIONS } from '../settings/gateway-file.js';
import type { Kind, Settings } from '../settings/setting.js';
import { PLACEHOLDER, printPath } from '../yaml-source.js';

/** Deeper or longer files are not edited by the API. The deepest setting is at 8. */
const MAX_DEPTH = 32;
const MAX_SCALARS = 50_000;
const MAX_FAULTS = 20;
/** Names whose values may be credentials although no setting says so: headers of providers. */
const UNKNOWN_CONTENT = 'headers';
const USER_OF_URL = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i;
/** Text that is nothing but the name of a variable, as a credential or as a header of one. */
const REFERENCE = /^(?:(?:Bearer|Basic) )?\$\{[A-Za-z_][A-Za-z0-9_]*(?::-)?\}$/;

/** A value of the file that has no members: where it stands, and its text as it is written. */
export interface FileScalar {
  /** As `printPath` prints it. */
  readonly path: string;
  /** The same for all elements of a list; to be compared alone. */
  readonly place: string;
  /** Names and numbers from the root to the value. */
  readonly steps: readonly (string | number)[];
  /** Offsets of its text in the file, without a comment. The end is that of the text, not of the line. */
  readonly start: number;
  readonly end: number;
  /** As it is written, with quotes. */
  readonly source: string;
  /** Without quotes; names of variables stay. */
  readonly text: string;
  /** Whether it stands in quotes or plain on one line, so that it can stand elsewhere as it is. */
  readonly isFlow: boolean;
  /** Whether its text must not be shown: a credential itself, and not the name of a variable. */
  readonly isHidden: boolean;
}

/** The values of a file, or why there are none. */
export interface FileScalars {
  /** Whether it is YAML at all. */
  readonly isYaml: boolean;
  readonly scalars: readonly FileScalar[];
  /** Reasons for which the API does not take such a file, although a reload may. */
  readonly faults: readonly ConfigFault[];
}

/** Every value of a file in the order of the file; one to which aliases refer, once for each path that it has. */
export function fileScalars(file: string): FileScalars {
  // Of the same length, so that offsets stay, and without characters of YAML, as in `readYaml`.
  const prepared = file.replace(PLACEHOLDER, (match) => '_'.repeat(match.length));
  let document: Document;
  try {
    document = parseDocument(prepared, { uniqueKeys: true });
  } catch {
    return {
      isYaml: true,
      scalars: [],
      faults: [{ path: 'YAML', message: 'cannot be read: it is nested too deeply' }],
    };
  }
  if (document.errors.length > 0) return { isYaml: false, scalars: [], faults: [] };
  const faults: ConfigFault[] = [];
  if (document.directives?.yaml.explicit === true) {
    faults.push({ path: 'YAML', message: 'has a directive %YAML. Leave it out: edits take YAML 1.2' });
  }
  const scalars: FileScalar[] = [];
  const add = (node: Scalar, steps: readonly (string | number)[], secret: boolean): void => {
    const [start = 0, valueEnd = 0] = node.range ?? [];
    const written = file.slice(start, valueEnd);
    const source = written.replace(/\s+$/, '');
    const isFlow = node.type === 'PLAIN' || node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE';
    const text = PLACEHOLDER_TEXT.test(source)
      ? unquoted(source)
      : typeof node.value === 'string'
        ? node.value
        : source;
    const isCredential = secret || USER_OF_URL.test(text);
    scalars.push({
      path: printPath(steps),
      place: placeOf(steps),
      steps,
      start,
      end: start + source.length,
      source,
      text,
      isFlow: isFlow && !source.includes('\n'),
      isHidden: isCredential && source !== '' && !REFERENCE.test(text),
    });
  };
  const visit = (node: unknown, steps: readonly (string | number)[], rule: Rule): void => {
    if (steps.length > MAX_DEPTH || scalars.length > MAX_SCALARS) {
      faults.push({
        path: printPath(steps.slice(0, 2)),
        message: 'is nested too deeply, or has too many values, for an edit',
      });
      return;
    }
    if (isAlias(node)) visit(node.resolve(document), steps, rule);
    else if (isScalar(node)) add(node, steps, rule === SECRET);
    else if (isSeq(node)) node.items.forEach((item, index) => visit(item, [...steps, index], elementRule(rule)));
    else if (isMap(node)) {
      for (const { key, value } of node.items) {
        const name = keyOf(key, file);
        if (name === undefined) {
          faults.push({ path: printPath(steps), message: 'has a key that is no plain text. Write its name itself' });
        } else visit(value, [...steps, name], memberRule(rule, name));
      }
    }
  };
  try {
    visit(document.contents, [], { members: { ...PROCESS_SECTIONS, ...ROUTING_SECTIONS } });
  } catch {
    faults.push({ path: 'YAML', message: 'cannot be read: its aliases refer to each other' });
  }
  return { isYaml: true, scalars, faults: faults.slice(0, MAX_FAULTS) };
}

/** Whether a text names a variable; unlike the other expression it has no state. */
const PLACEHOLDER_TEXT = new RegExp(PLACEHOLDER.source);

const SECRET = 'secret';
/** What is known of a value: that it is a credential, its kind, or nothing, where it is shown. */
type Rule = typeof SECRET | Pick<Kind<unknown, unknown>, 'members' | 'items'>;

function memberRule(rule: Rule, name: string): Rule {
  if (rule === SECRET || name === UNKNOWN_CONTENT) return SECRET;
  if (rule.members === undefined) return rule.items ?? {};
  const members: Settings = rule.members;
  const setting = Object.hasOwn(members, name) ? members[name] : undefined;
  // What no setting describes is not shown.
  return setting === undefined || setting.facts.secret === true ? SECRET : setting.kind;
}

function elementRule(rule: Rule): Rule {
  return rule === SECRET ? SECRET : (rule.items ?? {});
}

function keyOf(key: unknown, file: string): string | undefined {
  if (!isScalar(key)) return undefined;
  const [start = 0, end = 0] = (key as Node).range ?? [];
  return PLACEHOLDER_TEXT.test(file.slice(start, end)) ? undefined : String(key.value);
}

function placeOf(steps: readonly (string | number)[]): string {
  return JSON.stringify(steps.map((step) => (typeof step === 'number' ? 0 : step)));
}

function unquoted(source: string): string {
  const [, , inner] = /^(["'])(.*)\1$/s.exec(source) ?? [];
  return inner ?? source;
}
