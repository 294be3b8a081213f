import { existsSync, readdirSync, readFileSync } from 'node:fs';

const page = readFileSync(new URL('../docs/architecture.md', import.meta.url), 'utf8');
const root = new URL('../', import.meta.url);

describe('docs/architecture.md', () => {
  it('names only files and folders that exist', () => {
    const paths = [...page.matchAll(/`((?:[a-z0-9-]+\/)+(?:[a-z0-9.-]+\.(?:ts|mjs|md))?)`/g)].map(
      ([, path]) => path ?? '',
    );
    expect(paths.length).toBeGreaterThan(40);
    const missing = paths.filter(
      (path) => !existsSync(new URL(path, root)) && !existsSync(new URL(`src/${path}`, root)),
    );
    expect(missing).toEqual([]);
  });

  it('has every folder of src in the table of floors', () => {
    const table = page.slice(page.indexOf('| Floor'), page.indexOf('## The five flows'));
    const folders = readdirSync(new URL('.', import.meta.url), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.filter((name) => !new RegExp(`\\b${name}/`).test(table))).toEqual([]);
  });
});
