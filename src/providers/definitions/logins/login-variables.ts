import type { ConnectionInput } from '../types/connection.js';
import type { ProviderVariable } from '../definition.js';

/** The values of variables, by their names; undefined where one is not set. */
export type Values<Name extends string> = Readonly<Partial<Record<Name, string>>>;

/** Reads all variables of a login, so that each of them is known to be one of the gateway's. */
export function valuesOf<Name extends string>(
  variables: Readonly<Record<Name, ProviderVariable>>,
  variable: ConnectionInput['variable'],
): Values<Name> {
  const values: Partial<Record<Name, string>> = {};
  for (const name of Object.keys(variables) as Name[]) {
    const value = variable(name);
    if (value !== undefined) values[name] = value;
  }
  return values;
}
