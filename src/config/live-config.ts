import { GatewayConfig } from './gateway-config.js';

/** What a reload replaces. Everything else is read once: sockets, the database, roles. */
const RELOADABLE = ['providers', 'models', 'expose', 'upstream'] as const satisfies readonly (keyof GatewayConfig)[];

/** The configuration of a running process, parts of which change at a reload. */
export class LiveConfig {
  /** Always says what holds now; the object stays the same. */
  readonly config: GatewayConfig;
  private current: GatewayConfig;

  constructor(initial: GatewayConfig) {
    this.current = initial;
    const view = {};
    for (const name of Object.keys(initial) as (keyof GatewayConfig)[]) {
      Object.defineProperty(view, name, { enumerable: true, get: () => this.current[name] });
    }
    this.config = Object.freeze(view) as GatewayConfig;
  }

  /**
   * Takes over what a reload may replace.
   *
   * @returns paths of settings that differ too and stay as they were until a restart, such as `server.port`
   */
  replace(next: GatewayConfig): string[] {
    const before = this.current;
    const replaced = Object.fromEntries(RELOADABLE.map((name) => [name, next[name]]));
    this.current = Object.freeze({ ...before, ...replaced });
    return (Object.keys(before) as (keyof GatewayConfig)[])
      .filter((name) => !RELOADABLE.some((reloadable) => reloadable === name))
      .flatMap((name) => differences(before[name], next[name], name));
  }
}

function differences(before: unknown, next: unknown, path: string): string[] {
  if (JSON.stringify(before) === JSON.stringify(next)) return [];
  if (!isPlain(before) || !isPlain(next)) return [path];
  const names = new Set([...Object.keys(before), ...Object.keys(next)]);
  return [...names].flatMap((name) => differences(before[name], next[name], `${path}.${name}`));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
