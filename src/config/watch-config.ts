import { createHash } from 'node:crypto';
import { readFileSync, statSync, unwatchFile, watchFile, type Stats } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Time between two polls of the file. Polling is needed, because mounted files are replaced by a link without an event. */
const POLL_INTERVAL_MS = 1_000;
/** How long the text of the file stays the same before it is taken for whole. */
const SETTLE_MS = 300;
/** The same if the new text may be incomplete. */
const SETTLE_PARTIAL_MS = 5_000;

export type ReloadReason = 'SIGHUP' | 'file';

/** Receives valid configurations, and the faults of invalid ones. */
export interface ConfigListener {
  /**
   * The file has changed and is whole.
   *
   * @param isUnchanged whether the file still has the text that was found to be whole
   * @param version the same in every process that reads this state of the file, and another one after each change of it
   */
  readonly onChange: (reason: ReloadReason, isUnchanged: () => boolean, version: string) => void;
  /** The file is not taken, for the reason that is given. */
  readonly onRefused: (reason: ReloadReason, fault: string) => void;
}

/**
 * Calls back when the process receives a reload signal (SIGHUP), or when the configuration's file has changed or appeared. A file is
 * used only when it is complete: when two reads some time apart gave the same text, and never empty or missing where it was not before.
 *
 * @param named GATEWAY_CONFIG, if it is set
 * @param isPolling whether a change of the file is noticed without SIGHUP
 * @returns ends the watching
 */
export function watchConfig(
  named: string | undefined,
  { onChange, onRefused }: ConfigListener,
  isPolling = true,
): () => void {
  const path = resolve(named === undefined || named.trim() === '' ? 'gateway.yaml' : named.trim());
  let taken = textOf(path);
  let reading: AbortController | undefined;

  const reload = async (reason: ReloadReason): Promise<void> => {
    reading?.abort();
    const { signal } = (reading = new AbortController());
    const text = await wholeText(path, taken, signal);
    if (signal.aborted) return;
    if (isEmpty(text) && !isEmpty(taken)) {
      // An editor may put the new file in place of the old one at any moment; its coming is a change as well.
      if (reason === 'SIGHUP' || text !== undefined) onRefused(reason, emptyFault(text));
      return;
    }
    taken = text;
    onChange(reason, () => textOf(path) === text, versionOf(path, text));
  };
  const onSignal = (): void => void reload('SIGHUP');
  process.on('SIGHUP', onSignal);
  const onPoll = (now: Stats, before: Stats): void => {
    const isSame = now.mtimeMs === before.mtimeMs && now.size === before.size && now.ino === before.ino;
    if (!isSame) void reload('file');
  };
  if (isPolling) watchFile(path, { interval: POLL_INTERVAL_MS, persistent: false }, onPoll);
  return () => {
    reading?.abort();
    process.off('SIGHUP', onSignal);
    unwatchFile(path, onPoll);
  };
}

/** Reads until nothing has changed for long enough. Undefined is a file that is not there or cannot be read. */
async function wholeText(path: string, before: string | undefined, signal: AbortSignal): Promise<string | undefined> {
  let text = textOf(path);
  for (let waited = 0; waited < settleTime(text, before); waited += SETTLE_MS) {
    await delay(SETTLE_MS, undefined, { ref: false, signal }).catch(() => undefined);
    if (signal.aborted) return undefined;
    const again = textOf(path);
    if (again !== text) waited = -SETTLE_MS;
    text = again;
  }
  return text;
}

/** The text is incomplete if it is a prefix of the previous text or ends in the middle of a line. */
export function settleTime(text: string | undefined, before: string | undefined): number {
  if (text === undefined || before === undefined || text === before) return SETTLE_MS;
  const looksPartial = before.startsWith(text) || (before.endsWith('\n') && !text.endsWith('\n'));
  return looksPartial ? SETTLE_PARTIAL_MS : SETTLE_MS;
}

/** Whether a file has no settings: missing, blank, or only comments. */
export function isEmpty(text: string | undefined): boolean {
  return text === undefined || text.split(/\r?\n/).every((line) => /^\s*(?:#.*|---\s*|\.\.\.\s*)?$/.test(line));
}

function emptyFault(text: string | undefined): string {
  const what = text === undefined ? 'is not there or cannot be read' : 'is empty';
  return `the configuration file ${what}, and was not before. To run without one, restart the process.`;
}

function versionOf(path: string, text: string | undefined): string {
  const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return createHash('sha256')
    .update(`${changedAt ?? ''}:${text ?? ''}`)
    .digest('hex');
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
