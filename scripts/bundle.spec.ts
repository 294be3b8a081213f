import { build } from 'esbuild';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import { escapeNonAscii, nameClassesAlone } from './bundle.mjs';

const SOURCE = `
class Service { read = (value) => [value].map((each) => each + 1); }
class Other {}
export const handler = (input) => { const inner = function (value) { return value * 2; }; return inner(input); };
export function declared() { function nested() { return 1; } return nested(); }
export const list = [() => 1, function given() { return 2; }];
export const called = (function immediate(left) { return left === 0 ? 'end' : immediate(left - 1); })(3);
export const chosen = Math.random() > 2 ? () => 1 : () => 2;
export const { fallback = () => 'fallback' } = {};
export const names = () => [Service.name, Other.name, handler.name, declared.name, list[1].name];
export const results = () => [new Service().read(1), handler(2), declared(), list.map((each) => each()), called, chosen(), fallback()];
`;

it('leaves names to classes alone, and changes nothing that a program does', async () => {
  const { outputFiles } = await build({
    stdin: { contents: SOURCE },
    bundle: true,
    keepNames: true,
    format: 'esm',
    write: false,
  });
  const bundled = outputFiles[0]?.text ?? '';
  const text = nameClassesAlone(bundled);
  const uses = (of: string): string[] => of.match(/__name\([^)\n]*/g) ?? [];
  expect(uses(bundled).length).toBeGreaterThan(8);
  expect(uses(text)).toEqual(['__name(this, "Service"', '__name(this, "Other"']);
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  try {
    const load = async (name: string, code: string): Promise<{ names: () => unknown; results: () => unknown }> => {
      const file = join(folder, name);
      writeFileSync(file, code);
      return (await import(pathToFileURL(file).href)) as { names: () => unknown; results: () => unknown };
    };
    const [before, after] = [await load('before.mjs', bundled), await load('after.mjs', text)];
    expect(after.results()).toEqual(before.results());
    expect(after.names()).toEqual(before.names());
    expect(after.names()).toEqual(['Service', 'Other', 'handler', 'declared', 'given']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('escapes what is not ASCII, so that regular expressions match the same', () => {
  const script = [
    '/* Ω */ [',
    '/^[à-ÿµ]+$/.test("µé"), ',
    '/^\\é$/.test("é"), ',
    '/^\\\\é$/.test("\\\\é"), ',
    '/^[\u{1F600}-\u{1F64F}]$/u.test("\u{1F603}"), ',
    '"客服".length]',
  ].join('');
  const escaped = escapeNonAscii(script);
  expect(escaped).toMatch(/^[\x00-\x7f]*$/);
  const results: unknown = runInNewContext(escaped);
  expect(results).toEqual(runInNewContext(script));
  expect(results).toEqual([true, true, true, true, 2]);
});
