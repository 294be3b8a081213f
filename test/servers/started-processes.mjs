import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Where the processes of a run are noted, for all of its workers. */
const VARIABLE = 'TEST_PROCESSES_FILE';

/** Called once, before the workers of the run start. */
export function noteProcesses() {
  process.env[VARIABLE] = join(mkdtempSync(join(tmpdir(), 'gateway-processes-')), 'pids');
}

/**
 * Notes a process that a test started, so that the end of the run ends it where its test could not.
 *
 * @param {import('node:child_process').ChildProcess} child
 */
export function noteProcess(child) {
  const file = process.env[VARIABLE];
  if (file === undefined || child.pid === undefined) return;
  appendFileSync(file, `${child.pid} ${startTimeOf(child.pid) ?? ''}\n`);
}

/** Ends what is left of the run's processes. A pid that the system has given to another process since is left alone. */
export function endProcesses() {
  const file = process.env[VARIABLE];
  if (file === undefined || !existsSync(file)) return;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [pid, started] = line.split(' ');
    if (!pid || !started || startTimeOf(Number(pid)) !== started) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended in the meantime.
    }
  }
  rmSync(dirname(file), { recursive: true, force: true });
}

/** When a process started, in clock ticks since the machine did; undefined when there is none, or no /proc. */
function startTimeOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
