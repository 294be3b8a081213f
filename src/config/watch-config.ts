import { existsSync, unwatchFile, watchFile } from 'node:fs';
import { resolve } from 'node:path';

/** Milliseconds between two looks at the file. Its state is asked for, because mounted files are replaced by a link that no event tells of. */
const LOOK = 1_000;

/**
 * Calls back when the process is told to reload (SIGHUP), or when the configuration's file has changed or appeared.
 *
 * @param named GATEWAY_CONFIG, if it is set
 * @returns ends the watching
 */
export function watchConfig(named: string | undefined, onChange: (reason: 'SIGHUP' | 'file') => void): () => void {
  const path = resolve(named === undefined || named.trim() === '' ? 'gateway.yaml' : named.trim());
  const onSignal = (): void => {
    onChange('SIGHUP');
  };
  process.on('SIGHUP', onSignal);
  watchFile(path, { interval: LOOK, persistent: false }, (now, before) => {
    const isSame = now.mtimeMs === before.mtimeMs && now.size === before.size && now.ino === before.ino;
    // Gone for a moment while an editor puts the new one in its place: what comes next is a change as well.
    if (!isSame && existsSync(path)) onChange('file');
  });
  return () => {
    process.off('SIGHUP', onSignal);
    unwatchFile(path);
  };
}
