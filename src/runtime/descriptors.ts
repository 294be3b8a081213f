import { readFileSync } from 'node:fs';

/** Below it some clients are refused while others are served. */
const RECOMMENDED_DESCRIPTORS = 1_024;
/** A process has up to 27 open when it listens (Node.js 20 needs up to 60 meanwhile), which leaves too few for connections. */
const MIN_DESCRIPTORS = 64;
const EXHAUSTED = new Set(['EMFILE', 'ENFILE']);
const MAX_CAUSES = 5;

/** How many files and connections this process may have open; undefined where the system does not report it. */
export function descriptorLimit(): number | undefined {
  try {
    return limitIn(readFileSync('/proc/self/limits', 'latin1'));
  } catch (error) {
    // Without free descriptors the file with the limit cannot be opened either; outside Linux it does not exist.
    return isOutOfDescriptors(error) ? 0 : undefined;
  }
}

/** The soft limit in the text of `/proc/self/limits`; undefined for none. */
export function limitIn(text: string): number | undefined {
  const limit = /^Max open files +(\d+)/m.exec(text)?.[1];
  return limit === undefined ? undefined : Number(limit);
}

/** Whether something failed because the process, or the machine, has too many files and connections open. */
export function isOutOfDescriptors(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    if ('code' in current && EXHAUSTED.has(String(current.code))) return true;
    current = current.cause;
  }
  return false;
}

/**
 * The line for a start that failed for lack of descriptors; undefined for any other fault. Without descriptors, Node.js also
 * reports existing modules as missing.
 */
export function descriptorFault(error: unknown, limit = descriptorLimit()): string | undefined {
  const isTooLow = limit !== undefined && limit < RECOMMENDED_DESCRIPTORS;
  const isMissingModule = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
  return isOutOfDescriptors(error) || (isTooLow && isMissingModule) ? faultLine(limit) : undefined;
}

/** The line for a limit with which no start is tried; undefined for one that may do. */
export function tooFewDescriptors(limit: number | undefined): string | undefined {
  return limit !== undefined && limit < MIN_DESCRIPTORS ? faultLine(limit) : undefined;
}

function faultLine(limit: number | undefined): string {
  const allowed = limit === undefined || limit === 0 ? 'too few' : `only ${limit}`;
  return `llm-gateway cannot start: this process may have ${allowed} files and connections open. Allow at least ${RECOMMENDED_DESCRIPTORS} (ulimit -n, LimitNOFILE of systemd, ulimits.nofile of Docker).`;
}
