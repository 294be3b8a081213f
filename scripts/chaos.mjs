/** `npm run test:chaos`: the long form of the crash tests, on SQLite and on PostgreSQL with Redis; about ten minutes. */
import { spawnSync } from 'node:child_process';

const root = new URL('..', import.meta.url).pathname;
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
const project = ['--selectProjects', 'e2e', '--runInBand', '--', 'chaos'];
let failed = false;
for (const env of [{}, { TEST_DATABASE: 'postgres' }]) {
  const { status } = spawnSync(process.execPath, [...jest, ...project], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CHAOS: 'long', ...env },
  });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
