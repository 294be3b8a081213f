import { baseUrlFault } from './base-url.js';
import type { ConfigFault } from './config-error.js';
import { entryTypeOf, PROVIDER_DEFINITIONS } from '../providers/definitions/registry.js';
import type { SettingSource } from './settings/setting.js';
import type { ReadVariable } from './settings/variables.js';

export type Variables = Readonly<Record<string, string | undefined>>;

/** The environment, as settings read it. An empty variable counts as unset. */
export class Environment implements SettingSource {
  private readonly read = new Set<string>();

  constructor(
    readonly variables: Variables,
    private readonly faults: ConfigFault[],
  ) {}

  /** Every name that was read, set or not. */
  get known(): ReadonlySet<string> {
    return this.read;
  }

  variable(name: string): string | undefined {
    this.read.add(name);
    const value = this.variables[name]?.trim();
    return value === '' ? undefined : value;
  }

  fault(path: string, message: string): void {
    this.faults.push({ path, message });
  }
}

/** The settings of providers in the environment. */
export interface ProviderEnvironment {
  /** Providers whose key variable is set. */
  readonly providers: readonly {
    readonly name: string;
    readonly type: string;
    readonly apiKey: string;
    readonly baseUrl: string;
  }[];
  /** Reads variables for settings that an entry of the file does not have. */
  readonly variable: ReadVariable;
}

/** Reads the provider settings of the environment. */
export function readProviderEnvironment(environment: Environment): ProviderEnvironment {
  const variable: ReadVariable = (name) => environment.variable(name);
  const providers = PROVIDER_DEFINITIONS.flatMap((definition) => {
    const { name, keyVariable, baseUrl, baseUrlVariable } = definition;
    const apiKey = keyVariable === undefined ? undefined : variable(keyVariable);
    if (apiKey === undefined || baseUrl === undefined) return [];
    const moved = baseUrlVariable === undefined ? undefined : variable(baseUrlVariable);
    if (moved !== undefined && baseUrlVariable !== undefined) {
      const fault = baseUrlFault(moved);
      if (fault !== undefined) environment.fault(baseUrlVariable, fault);
    }
    return [{ name, type: entryTypeOf(definition), apiKey, baseUrl: moved ?? baseUrl }];
  });
  return { providers, variable };
}
