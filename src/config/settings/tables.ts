import { PROCESS_SECTIONS, ROUTING_SECTIONS } from './gateway-file.js';
import { REQUEST_LOG_VARIABLES, TRACING_VARIABLES } from './integration-variables.js';
import { PROCESS_VARIABLES } from './process-variables.js';
import type { AnyFacts, AnySetting, Kind, Settings } from './setting.js';
import { cloudVariables, fileVariables, providerVariables } from './variables.js';

/** One row of a table: a key of the file, or a variable. */
interface Row {
  readonly name: string;
  readonly kind: Kind<unknown, unknown>;
  readonly facts: AnyFacts;
  /** Added to the meaning. */
  readonly note?: string | undefined;
  /** How a value is written in this table. */
  readonly print: (value: unknown) => string;
}

/** The tables of docs/configuration.md in Markdown, by the names of their markers. */
export function settingsTables(): Readonly<Record<string, string>> {
  const gateway = [...fileVariables()].map(([name, { path, entry }]) =>
    variableRow(name, entry, `It takes precedence over \`${path}\`.`),
  );
  return {
    'gateway variables': table('variable', [...gateway, ...rowsOf({ ...PROCESS_VARIABLES, ...REQUEST_LOG_VARIABLES })]),
    'provider variables': table('variable', rowsOf(providerVariables())),
    'cloud variables': table('variable', rowsOf(cloudVariables())),
    'tracing variables': table('variable', rowsOf(TRACING_VARIABLES)),
    'restart keys': sections(PROCESS_SECTIONS),
    'reload keys': sections(ROUTING_SECTIONS),
  };
}

/** Every key of a section with its path: `models[].deployments[].weight`, `providers.<name>.type`. */
export function keysOf(path: string, { kind, facts }: AnySetting): Row[] {
  const note = facts.variable === undefined ? undefined : `Variable: \`${facts.variable}\`.`;
  return [{ name: path, kind, facts, note, print: (value) => JSON.stringify(value) }, ...keysBelow(path, kind)];
}

function keysBelow(path: string, { members, items, schema }: Kind<unknown, unknown>): Row[] {
  if (items !== undefined) return keysBelow(`${path}${schema['type'] === 'array' ? '[]' : '.<name>'}`, items);
  return Object.entries(members ?? {}).flatMap(([key, member]) => keysOf(`${path}.${key}`, member));
}

/** A heading, a description and a table for each section of the file. */
function sections(all: Settings): string {
  const parts = Object.entries(all).map(([key, section]) => {
    const [own, ...below] = keysOf(key, section);
    const isPlain = own !== undefined && below.length === 0;
    return `### ${key}\n\n${isPlain ? '' : `${section.facts.description}\n\n`}${table('key', isPlain ? [own] : below)}`;
  });
  return parts.join('\n\n');
}

function rowsOf(variables: Settings): Row[] {
  return Object.entries(variables).map(([name, entry]) => variableRow(name, entry));
}

function variableRow(name: string, { kind, facts }: AnySetting, note?: string): Row {
  return { name, kind, facts, note, print: (value) => kind.toText?.(value) ?? String(value) };
}

function table(title: string, rows: readonly Row[]): string {
  const lines = rows.map((row) => [`\`${row.name}\``, valueOf(row), defaultOf(row), meaningOf(row)]);
  return [[title, 'value', 'default', 'meaning'], ['---', '---', '---', '---'], ...lines]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function valueOf({ kind, facts }: Row): string {
  return facts.secret === true ? `${kind.form}, secret` : kind.form;
}

function defaultOf({ kind, facts, print }: Row): string {
  if (facts.required === true) return 'required';
  if (facts.without !== undefined) return facts.without;
  // The defaults of an object are those of its members.
  return kind.members === undefined ? code(facts.default, print) : '';
}

function meaningOf({ facts, note, print }: Row): string {
  const example = facts.example === undefined ? [] : [`Example: ${code(facts.example, print)}.`];
  return [facts.description, ...(note === undefined ? [] : [note]), ...example].join(' ');
}

function code(value: unknown, print: Row['print']): string {
  return `\`${typeof value === 'string' ? value : print(value)}\``;
}
