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

/** A provider that needs nothing but a key. */
export interface KnownProvider {
  readonly name: string;
  readonly type: string;
  /** Its own address, or that of the variable which moves it. It may have a fault, which counts where the provider is used. */
  readonly baseUrl: string;
  /** The variable that moves it; undefined where that is not set. */
  readonly movedBy?: string;
}

/** The settings of providers in the environment. */
export interface ProviderEnvironment {
  readonly known: readonly KnownProvider[];
  /** Those whose key variable is set. */
  readonly providers: readonly (KnownProvider & { readonly apiKey: string })[];
  /** Reads variables for settings that an entry of the file does not have. */
  readonly variable: ReadVariable;
}

/** Reads the provider settings of the environment. */
export function readProviderEnvironment(environment: Environment): ProviderEnvironment {
  const variable: ReadVariable = (name) => environment.variable(name);
  const found = PROVIDER_DEFINITIONS.flatMap((definition) => {
    const { name, keyVariable, baseUrl, baseUrlVariable } = definition;
    if (keyVariable === undefined || baseUrl === undefined) return [];
    const moved = baseUrlVariable === undefined ? undefined : variable(baseUrlVariable);
    const apiKey = variable(keyVariable);
    if (moved !== undefined && baseUrlVariable !== undefined && apiKey !== undefined) {
      const fault = baseUrlFault(moved);
      if (fault !== undefined) environment.fault(baseUrlVariable, fault);
    }
    const movedBy = moved === undefined ? undefined : baseUrlVariable;
    return [
      {
        known: {
          name,
          type: entryTypeOf(definition),
          baseUrl: moved ?? baseUrl,
          ...(movedBy !== undefined && { movedBy }),
        },
        apiKey,
      },
    ];
  });
  return {
    known: found.map(({ known }) => known),
    providers: found.flatMap(({ known, apiKey }) => (apiKey === undefined ? [] : [{ ...known, apiKey }])),
    variable,
  };
}
