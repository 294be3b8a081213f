import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = join(dirname(fileURLToPath(import.meta.url)), '..');
/** An import that is evaluated at the start: neither of types alone nor inside a function. */
const STATIC_IMPORT = /^(?:import|export) (?!type\b)(?:[^;]*? from )?'([^']+)';/gm;

/** Packages that a source file loads at its start, directly or through files that it imports. */
function packagesOf(entry: string): Set<string> {
  const packages = new Set<string>();
  const files = new Set([entry]);
  for (const file of files) {
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(STATIC_IMPORT)) {
      if (name.startsWith('.')) files.add(join(dirname(file), name.replace(/\.js$/, '.ts')));
      else packages.add(name);
    }
  }
  return packages;
}

it.each(['cli/main.ts', 'main.ts'])('%s loads neither Nest nor TypeORM before it needs them', (entry) => {
  const packages = packagesOf(join(SOURCES, entry));
  expect([...packages].filter((name) => /^@nestjs\/|^typeorm$|^class-/.test(name))).toEqual([]);
});

it('finds what a file loads', () => {
  expect([...packagesOf(join(SOURCES, 'app.module.ts'))]).toEqual(
    expect.arrayContaining(['@nestjs/common', 'typeorm']),
  );
});
