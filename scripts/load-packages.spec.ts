import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Run {
  readonly isCompiledAnew: boolean;
  readonly results: unknown;
}

/** Uses a package of modules, one of CommonJS with a default export, and a path in a package. */
const PROGRAM = `
import { Subject } from 'rxjs';
import { map } from 'rxjs/operators';
import ipaddr from 'ipaddr.js';
export function results() {
  const values = [];
  const subject = new Subject();
  subject.pipe(map((value) => value * 2)).subscribe((value) => values.push(value));
  subject.next(21);
  return [values, ipaddr.parse('10.0.0.1').range()];
}
`;
const RUN = `
import { isCompiledAnew, saveCodeCache } from './node_modules/.bundle/load.js';
import { results } from './src/program.js';
console.log(JSON.stringify({ isCompiledAnew, results: results() }));
if (process.argv[2] === 'save') saveCodeCache();
`;
const RESULTS = [[42], 'private'];

describe('the loader of bundled packages', () => {
  // Below a folder from which the packages are found.
  const dist = mkdtempSync(join(import.meta.dirname, '../node_modules/.bundle-test-'));
  const bundle = join(dist, 'node_modules/.bundle');
  afterAll(() => rmSync(dist, { recursive: true }));

  beforeAll(() => {
    mkdirSync(join(dist, 'src'));
    writeFileSync(join(dist, 'package.json'), '{"type":"module"}');
    writeFileSync(join(dist, 'src/program.js'), PROGRAM);
    writeFileSync(join(dist, 'run.js'), RUN);
    const script = `import { bundleDependencies } from '${pathToFileURL(join(import.meta.dirname, 'bundle.mjs')).href}';
      await bundleDependencies(process.argv[1]);`;
    execFileSync(process.execPath, ['--input-type=module', '-e', script, dist]);
  });

  const run = (options: readonly string[] = [], ...args: string[]): Run =>
    JSON.parse(
      execFileSync(process.execPath, [...options, join(dist, 'run.js'), ...args], { encoding: 'utf8' }),
    ) as Run;
  const caches = (): string[] => readdirSync(bundle).filter((name) => name.endsWith('.cache'));

  it('loads the same from a code cache, without one, and with one that V8 rejects', () => {
    expect(run([], 'save')).toEqual({ isCompiledAnew: true, results: RESULTS });
    const [name = ''] = caches();
    expect(caches()).toHaveLength(1);
    expect(run()).toEqual({ isCompiledAnew: false, results: RESULTS });

    const path = join(bundle, name);
    const cache = readFileSync(path);
    for (const damaged of [Buffer.alloc(0), cache.subarray(0, cache.length / 2), Buffer.from('no code cache')]) {
      writeFileSync(path, damaged);
      expect(run()).toEqual({ isCompiledAnew: true, results: RESULTS });
    }
  });

  it('has a code cache for each set of options of Node.js', () => {
    // One that changes the code that V8 makes, in each version of Node.js.
    const options = ['--no-opt'];
    run([], 'save');
    expect(run(options)).toEqual({ isCompiledAnew: true, results: RESULTS });
    run(options, 'save');
    expect(caches()).toHaveLength(2);
    expect([run(), run(options)].map(({ isCompiledAnew }) => isCompiledAnew)).toEqual([false, false]);
  });
});
