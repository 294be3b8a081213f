import { PROVIDER_DEFINITIONS, typeOf } from '../../providers/definitions/registry.js';
import { PROCESS_SECTIONS } from './gateway-file.js';
import { REQUEST_LOG_VARIABLES, TRACING_VARIABLES } from './integration-variables.js';
import { text } from './kinds.js';
import { PROCESS_VARIABLES } from './process-variables.js';
import { setting, type AnySetting, type Settings } from './setting.js';

/** Names of variables that the code reads one by one. The type refuses a name that has no entry. */
export type VariableName =
  | keyof typeof PROCESS_VARIABLES
  | keyof typeof REQUEST_LOG_VARIABLES
  | keyof typeof TRACING_VARIABLES
  | ProviderVariableName;

/** Variables of the provider definitions, whose entries are made from those. */
export type ProviderVariableName = `${Uppercase<string>}_API_KEY` | `${Uppercase<string>}_BASE_URL`;

/** Reads one environment variable; undefined where it is unset or empty. */
export type ReadVariable = (name: VariableName) => string | undefined;

/** A setting of gateway.yaml that has a variable, by its path in the file. */
export interface FileVariable {
  readonly path: string;
  readonly entry: AnySetting;
}

/** Variables that take precedence over a key of gateway.yaml. */
export function fileVariables(): ReadonlyMap<string, FileVariable> {
  const found = new Map<string, FileVariable>();
  const visit = (entry: AnySetting, path: string): void => {
    if (entry.facts.variable !== undefined) found.set(entry.facts.variable, { path, entry });
    for (const [key, member] of Object.entries(entry.kind.members ?? {})) visit(member, `${path}.${key}`);
  };
  for (const [key, entry] of Object.entries(PROCESS_SECTIONS)) visit(entry, key);
  return found;
}

/** Variables that turn a provider on, or move its address. */
export function providerVariables(): Settings {
  const variables: Record<string, AnySetting> = {};
  for (const { name, keyVariable, baseUrl, baseUrlVariable } of PROVIDER_DEFINITIONS) {
    if (keyVariable === undefined) continue;
    variables[keyVariable] = setting(text(), {
      description: `The key of the provider \`${name}\`. It turns the provider on.`,
      without: 'off',
      secret: true,
    });
    if (baseUrlVariable === undefined || baseUrl === undefined) continue;
    variables[baseUrlVariable] = setting(text({ form: 'URL' }), {
      description: `The address of the provider \`${name}\`.`,
      default: baseUrl,
    });
  }
  return variables;
}

/**
 * The variables that entries of gateway.yaml read, from the definitions of their types. Several types may read the same
 * variable.
 */
export function cloudVariables(): Settings {
  const variables: Record<string, AnySetting> = {};
  const types = new Map<string, string[]>();
  for (const definition of PROVIDER_DEFINITIONS) {
    for (const [name, variable] of Object.entries(definition.variables ?? {})) {
      const { description, form, default: value, without = 'none', ...facts } = variable;
      types.set(name, [...(types.get(name) ?? []), `\`${typeOf(definition)}\``]);
      variables[name] = setting(text({ ...(form !== undefined && { form }) }), {
        description: `${(types.get(name) ?? []).join(', ')}: ${description}.`,
        ...(value === undefined ? { without } : { default: value }),
        ...facts,
      });
    }
  }
  return variables;
}

/** Every variable that the gateway reads, by name. */
export function allVariables(): Settings {
  return {
    ...Object.fromEntries([...fileVariables()].map(([name, { entry }]) => [name, entry])),
    ...PROCESS_VARIABLES,
    ...REQUEST_LOG_VARIABLES,
    ...TRACING_VARIABLES,
    ...providerVariables(),
    ...cloudVariables(),
  };
}
