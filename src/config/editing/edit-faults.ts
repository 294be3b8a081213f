import type { ConfigFault } from '../config-error.js';
import type { Configuration } from '../gateway-config.js';
import { PLACEHOLDER } from '../yaml-source.js';
import { definitionNamed, definitionOfType } from '../../providers/definitions/registry.js';
import type { FileScalar } from './file-scalars.js';
import { isHiddenValue, shownSource, type SecretNames } from './hidden-values.js';
import { CLOUD_KEYS, type CloudKey } from '../../providers/definitions/types/connection.js';

/** What chooses who may sign in, who may edit, and where data are kept and sent. */
export const LOCKED_SETTINGS: readonly string[] = [
  'config',
  'console',
  'database_url',
  'files',
  'alerts',
  'batch.output_buckets',
];
/** Cloud settings that an edit may change: parts of addresses, and credentials, which have rules of their own. */
const OPEN_OF_PROVIDER: readonly CloudKey[] = [
  'region',
  'project',
  'resource_name',
  'api_version',
  'access_key_id',
  'secret_access_key',
  'session_token',
  'client_id',
  'client_secret',
];
/** The others, which name files and logins of the machine, or further places to which data are sent. */
export const LOCKED_OF_PROVIDER: readonly string[] = CLOUD_KEYS.filter((key) => !OPEN_OF_PROVIDER.includes(key));
/** Settings of providers whose values are sent to the provider alone. */
const CREDENTIALS = ['api_key', 'api_keys', 'headers'];
const ONLY_IN_THE_FILE = 'Change it in the file, on the machine';

/** What the rules for edits look at. */
export interface EditContext {
  /** Values of the edited text, with names in place of credentials. */
  readonly edited: readonly FileScalar[];
  readonly before: readonly FileScalar[];
  readonly nameOf: SecretNames;
  /** `config.variables`. */
  readonly variables: readonly string[];
}

/**
 * What an edit by the API may not do, although the file may hold it: with a stolen session of an administrator the variables and
 * files of the machine could otherwise be read, by sending them to another address or to where values are shown.
 */
export function editFaults(context: EditContext): ConfigFault[] {
  const { edited, before, nameOf } = context;
  const known = new Set(before.map((scalar) => `${scalar.place} ${shownSource(scalar, nameOf)}`));
  const isAsBefore = (scalar: FileScalar): boolean => known.has(`${scalar.place} ${shownSource(scalar, nameOf)}`);
  const faults = [...lockedFaults(context)];
  const providers = new Set(edited.filter(isOfProvider).map(nameOfProvider));
  for (const name of providers) faults.push(...providerFaults(name, context, isAsBefore));
  for (const scalar of edited) {
    if (isCredential(scalar) || isAsBefore(scalar)) continue;
    const [variable] = variablesOf(scalar);
    if (variable === undefined) continue;
    const message = `an edit cannot name the variable ${variable} here. ${ONLY_IN_THE_FILE}`;
    faults.push({ path: scalar.path, message });
  }
  return faults;
}

/**
 * Credentials of the machine that an edit would send to a new address without naming them.
 *
 * @param next what the edited text means
 */
export function loginFaults(next: Configuration, { edited, before, nameOf }: EditContext): ConfigFault[] {
  return next.providers.flatMap(({ name, type, apiKey }) => {
    const address = addressOf(edited, name);
    if (address === undefined || isSameAddress(name, edited, before, nameOf)) return [];
    const path = `providers.${name}.base_url`;
    if (definitionOfType(type)?.connect !== undefined) {
      return [{ path, message: `an edit cannot move a provider of type ${type}. ${ONLY_IN_THE_FILE}` }];
    }
    const hasOwnKey = edited.some(
      (each) => nameOfProvider(each) === name && ['api_key', 'api_keys'].includes(memberOf(each)),
    );
    if (apiKey === undefined || hasOwnKey) return [];
    const message = `an edit cannot send the key of the environment to a new address. Set api_key, or choose another name`;
    return [{ path, message }];
  });
}

function providerFaults(
  name: string,
  { edited, before, nameOf, variables }: EditContext,
  isAsBefore: (scalar: FileScalar) => boolean,
): ConfigFault[] {
  const entry = edited.filter((scalar) => isOfProvider(scalar) && nameOfProvider(scalar) === name);
  const hasOwnAddress = addressOf(edited, name) === undefined;
  const isMoved = !hasOwnAddress && !isSameAddress(name, edited, before, nameOf);
  return entry.flatMap((scalar): ConfigFault[] => {
    const { path } = scalar;
    if (LOCKED_OF_PROVIDER.includes(memberOf(scalar))) {
      return isAsBefore(scalar) ? [] : [{ path, message: `an edit cannot set this. ${ONLY_IN_THE_FILE}` }];
    }
    if (!isCredential(scalar)) return [];
    if (isMoved && isHiddenValue(scalar)) {
      return [{ path, message: 'an edit cannot send a hidden value to a new address. Write the value itself' }];
    }
    return variablesOf(scalar).flatMap((variable) => {
      if (variables.some((pattern) => isNamedBy(pattern, variable))) return [];
      if (isAsBefore(scalar) && !isMoved) return [];
      if (hasOwnAddress && keyVariablesOf(name, entry).includes(variable)) return [];
      const fix = `Write the value itself, or list the variable under config.variables in the file`;
      return [{ path, message: `an edit cannot send the variable ${variable} to this address. ${fix}` }];
    });
  });
}

/** Settings that an edit has to leave as they are, comments aside. */
function lockedFaults({ edited, before, nameOf }: EditContext): ConfigFault[] {
  return LOCKED_SETTINGS.flatMap((path) => {
    const names = path.split('.');
    const print = (scalars: readonly FileScalar[]): string =>
      JSON.stringify(
        scalars
          .filter(({ steps }) => names.every((name, index) => steps[index] === name))
          .map((scalar) => [scalar.path, shownSource(scalar, nameOf)])
          .sort(),
      );
    if (print(edited) === print(before)) return [];
    return [{ path, message: `an edit cannot change this. ${ONLY_IN_THE_FILE}` }];
  });
}

function isOfProvider({ steps }: FileScalar): boolean {
  return steps[0] === 'providers' && steps.length >= 3;
}

function nameOfProvider(scalar: FileScalar): string {
  return isOfProvider(scalar) ? String(scalar.steps[1]) : '';
}

function memberOf({ steps }: FileScalar): string {
  return String(steps[2]);
}

function isCredential(scalar: FileScalar): boolean {
  return isOfProvider(scalar) && CREDENTIALS.includes(memberOf(scalar));
}

function addressOf(scalars: readonly FileScalar[], name: string): FileScalar | undefined {
  return scalars.find((scalar) => nameOfProvider(scalar) === name && memberOf(scalar) === 'base_url');
}

function isSameAddress(
  name: string,
  edited: readonly FileScalar[],
  before: readonly FileScalar[],
  nameOf: SecretNames,
): boolean {
  const now = addressOf(edited, name);
  const then = addressOf(before, name);
  return now !== undefined && then !== undefined && shownSource(now, nameOf) === shownSource(then, nameOf);
}

/** Variables with the key of the provider that an entry without an address is of. */
function keyVariablesOf(name: string, entry: readonly FileScalar[]): string[] {
  const type = entry.find((scalar) => memberOf(scalar) === 'type')?.text;
  const definition = type === undefined ? (definitionNamed(name) ?? definitionOfType(name)) : undefined;
  const found = [definition, definitionNamed(name), type === undefined ? undefined : definitionOfType(type)];
  return found.flatMap((each) => each?.keyVariable ?? []);
}

/** The variables that a value names. */
function variablesOf({ source }: FileScalar): string[] {
  return [...source.matchAll(PLACEHOLDER)].flatMap(([, escape, name]) =>
    escape === '$' || name === undefined ? [] : [name],
  );
}

function isNamedBy(pattern: string, variable: string): boolean {
  return pattern.endsWith('*') ? variable.startsWith(pattern.slice(0, -1)) : variable === pattern;
}
