import { staticSettings, type Configuration, type GatewayConfig } from './gateway-config.js';

/**
 * The settings that differ between what the process runs with and what was loaded now, and that need a restart.
 *
 * @returns paths such as `server.port`
 */
export function settingsThatNeedRestart(running: GatewayConfig, loaded: Configuration): string[] {
  // How the file is written does not matter as long as its values are the same.
  const { writtenAtStart: _running, ...before } = staticSettings(running);
  const { writtenAtStart: _loaded, ...next } = staticSettings(loaded);
  return differences(before, next, '');
}

function differences(before: unknown, next: unknown, path: string): string[] {
  if (JSON.stringify(before) === JSON.stringify(next)) return [];
  if (!isPlain(before) || !isPlain(next)) return [path];
  const names = new Set([...Object.keys(before), ...Object.keys(next)]);
  return [...names].flatMap((name) => differences(before[name], next[name], path === '' ? name : `${path}.${name}`));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
