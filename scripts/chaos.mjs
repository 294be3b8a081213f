/**
 * `npm run test:chaos`: the long form of the crash tests, on SQLite and on PostgreSQL with Redis; about ten minutes.
 * `npm run test:chaos -- --calls`: calls to three deployments that fail by chance, alone.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const USAGE = `Usage: npm run test:chaos -- [options]
  --calls        only calls to three deployments that fail by chance, held to their history
  --minutes <n>  how long their load lasts, by default 2
  --seed <n>     decides every request and every fault, by default 1
  --rate <n>     requests a second, by default 20
  --postgres     with --calls: on PostgreSQL in place of SQLite`;

/** @returns {Record<string, any>} */
function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        calls: { type: 'boolean', default: false },
        postgres: { type: 'boolean', default: false },
        minutes: { type: 'string' },
        seed: { type: 'string' },
        rate: { type: 'string' },
      },
    });
    for (const name of /** @type {const} */ (['minutes', 'seed', 'rate'])) {
      const value = values[name];
      if (value !== undefined && !(Number(value) > 0))
        throw new Error(`--${name} must be a number above 0, not ${value}`);
    }
    return values;
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    return process.exit(1);
  }
}

const root = new URL('..', import.meta.url).pathname;
const { calls, postgres, minutes, seed, rate } = readOptions();
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
const project = ['--selectProjects', 'e2e', '--runInBand', '--', calls ? 'call-chaos' : 'chaos'];
const options = Object.entries({ CHAOS_MINUTES: minutes, CHAOS_SEED: seed, CHAOS_RATE: rate });
const given = Object.fromEntries(options.filter(([, value]) => value !== undefined));
const onPostgres = { TEST_DATABASE: 'postgres' };
let failed = false;
for (const env of calls ? [postgres ? onPostgres : {}] : [{}, onPostgres]) {
  const { status } = spawnSync(process.execPath, [...jest, ...project], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CHAOS: 'long', ...given, ...env },
  });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
