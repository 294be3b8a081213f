import {
  setting,
  type FileOf,
  type Kind,
  type Setting,
  type Settings,
  type SettingSource,
  type ValueOf,
} from './setting.js';

type OptionalKeys<Members> = {
  [Key in keyof Members]: undefined extends FileOf<Members[Key]> ? Key : never;
}[keyof Members];
/** Settings whose value may be undefined. */
type AbsentKeys<Members> = {
  [Key in keyof Members]: undefined extends ValueOf<Members[Key]> ? Key : never;
}[keyof Members];
type Flat<Type> = { [Key in keyof Type]: Type[Key] };
type CamelCase<Key extends string> = Key extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Key;

export type GroupFile<Members> = Flat<
  { readonly [Key in Exclude<keyof Members, OptionalKeys<Members>>]: FileOf<Members[Key]> } & {
    readonly [Key in OptionalKeys<Members>]?: FileOf<Members[Key]>;
  }
>;
export type GroupValue<Members> = Flat<
  {
    readonly [Key in Exclude<keyof Members, AbsentKeys<Members>> & string as CamelCase<Key>]: ValueOf<Members[Key]>;
  } & { readonly [Key in AbsentKeys<Members> & string as CamelCase<Key>]?: ValueOf<Members[Key]> }
>;

/** An object with settings as members: `drain_timeout` in the file is `drainTimeout` in the program. */
export function group<const Members extends Settings>(members: Members): Kind<GroupFile<Members>, GroupValue<Members>> {
  const entries = Object.entries(members);
  const required = entries.filter(([, { facts }]) => facts.required === true).map(([key]) => key);
  return {
    form: 'object',
    members,
    schema: {
      type: 'object',
      additionalProperties: false,
      ...(required.length > 0 && { required }),
      properties: Object.fromEntries(entries.map(([key, { schema }]) => [key, schema])),
    },
    value: (file, source, path) => {
      const given: Readonly<Record<string, unknown>> = { ...file };
      const values = entries.map(([key, member]) => [
        camelCase(key),
        member.read(given[key], source, path === '' ? key : `${path}.${key}`),
      ]);
      return Object.fromEntries(values) as GroupValue<Members>;
    },
  };
}

/** A group whose members all have defaults or need none. */
export function section<const Members extends Settings>(
  description: string,
  members: Members,
): Setting<GroupFile<Members> | undefined, GroupValue<Members>> {
  const whole = setting(group(members) as Kind<object, GroupValue<Members>>, { description, default: {} });
  return whole;
}

/** A list of settings of one kind. */
export function list<File, Value>(
  items: Kind<File, Value>,
  rules: { readonly minItems?: number } = {},
): Kind<readonly File[], readonly Value[]> {
  return {
    form: items.members === undefined ? `list of ${items.form}` : 'list of objects',
    items: items,
    schema: { type: 'array', ...rules, items: items.schema },
    value: (file, source, path) => file.map((item, index) => items.value(item, source, `${path}[${index}]`)),
  };
}

/** An object whose keys the operator chooses. */
export function map<File, Value>(
  items: Kind<File, Value>,
  names?: { readonly pattern: string; readonly patternErrorMessage: string },
): Kind<Readonly<Record<string, File>>, Readonly<Record<string, Value>>> {
  return {
    form: items.members === undefined ? `object of ${items.form}` : 'object of objects',
    items: items,
    schema: {
      type: 'object',
      ...(names !== undefined && { propertyNames: names }),
      additionalProperties: items.schema,
    },
    value: (file, source, path) =>
      Object.fromEntries(
        Object.entries(file).map(([name, item]) => [name, items.value(item, source, `${path}.${name}`)]),
      ),
  };
}

/** The values of environment variables, by their names. */
export function readVariables<const Variables extends Settings>(
  variables: Variables,
  source: SettingSource,
): { readonly [Name in keyof Variables]: ValueOf<Variables[Name]> } {
  const values = Object.entries(variables).map(([name, each]) => [name, each.read(undefined, source, name, name)]);
  return Object.fromEntries(values) as { readonly [Name in keyof Variables]: ValueOf<Variables[Name]> };
}

/** `drain_timeout` becomes `drainTimeout`. */
export function camelCase(key: string): string {
  return key.replaceAll(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}
