/**
 * Renders the chart of this project as Helm does, for a test on machines without Helm. It knows what these templates use and
 * no more: values, `if`, `range` over a mapping, and the functions quote, printf, toYaml and nindent.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

const TAG = /\{\{(-)?\s*(.*?)\s*(-)?\}\}/gs;

/** Text and tags in order; white space beside `{{-` and `-}}` is taken away. */
function scan(text) {
  const parts = [];
  let last = 0;
  let trims = false;
  for (const match of text.matchAll(TAG)) {
    let before = text.slice(last, match.index);
    if (trims) before = before.trimStart();
    if (match[1] !== undefined) before = before.trimEnd();
    parts.push({ text: before }, { tag: match[2] });
    trims = match[3] !== undefined;
    last = match.index + match[0].length;
  }
  parts.push({ text: trims ? text.slice(last).trimStart() : text.slice(last) });
  return parts;
}

function words(expression) {
  return expression.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
}

function valueOf(word, scope) {
  if (word.startsWith('"')) return JSON.parse(word);
  if (/^-?\d+$/.test(word)) return Number(word);
  const path = word.split('.');
  const first = path.shift();
  let value = first === '' ? scope : scope[first];
  for (const step of path) value = value?.[step];
  if (value === undefined) throw new Error(`the template asks for ${word}, which has no value`);
  return value;
}

const FUNCTIONS = {
  quote: (value) => JSON.stringify(String(value)),
  printf: (format, ...values) => values.reduce((text, value) => text.replace('%s', String(value)), format),
  toYaml: (value) => stringify(value).trimEnd(),
  nindent: (width, text) => `\n${text.replaceAll(/^(?=.)/gm, ' '.repeat(width))}`,
};

function evaluate(expression, scope) {
  let piped;
  for (const [index, stage] of expression.split('|').entries()) {
    const [head, ...rest] = words(stage.trim());
    const known = FUNCTIONS[head];
    const values = (known === undefined ? [head, ...rest] : rest).map((word) => valueOf(word, scope));
    if (known === undefined && values.length > 1) throw new Error(`unknown function ${head}`);
    piped = known === undefined ? values[0] : known(...values, ...(index === 0 ? [] : [piped]));
  }
  return piped;
}

function isTrue(value) {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** Prints parts up to the `end` that belongs to them. @returns the index after it */
function print(parts, from, scope, out) {
  for (let at = from; at < parts.length; at += 1) {
    const { text, tag } = parts[at];
    if (tag === undefined) {
      out?.push(text);
      continue;
    }
    const [keyword, ...rest] = words(tag);
    if (keyword === 'end') return at;
    if (keyword === 'if') {
      at = print(parts, at + 1, scope, out !== undefined && isTrue(evaluate(rest.join(' '), scope)) ? out : undefined);
    } else if (keyword === 'range') {
      const [, key, value, source] = /^range (\$\w+), (\$\w+) := (\S+)$/.exec(tag) ?? [];
      if (source === undefined) throw new Error(`unknown form of range: ${tag}`);
      const entries = out === undefined ? [] : Object.entries(valueOf(source, scope));
      let end = print(parts, at + 1, scope, undefined);
      for (const [name, each] of entries) end = print(parts, at + 1, { ...scope, [key]: name, [value]: each }, out);
      at = end;
    } else out?.push(String(evaluate(tag, scope)));
  }
  return parts.length;
}

function merged(base, over) {
  if (typeof base !== 'object' || base === null || Array.isArray(base) || typeof over !== 'object' || over === null) {
    return over;
  }
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) result[key] = key in base ? merged(base[key], value) : value;
  return result;
}

/**
 * @param {string} chart its folder
 * @param {object} values laid over values.yaml
 * @param {string} release
 * @returns {Map<string, string>} what each template gives, by its name
 */
export function renderChart(chart, values = {}, release = 'gateway') {
  const Values = merged(parse(readFileSync(join(chart, 'values.yaml'), 'utf8')), values);
  const scope = { Values, Release: { Name: release }, Chart: parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')) };
  const rendered = new Map();
  for (const name of readdirSync(join(chart, 'templates'))) {
    const out = [];
    print(scan(readFileSync(join(chart, 'templates', name), 'utf8')), 0, scope, out);
    rendered.set(name, out.join(''));
  }
  return rendered;
}
