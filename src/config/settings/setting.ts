/** JSON Schema, draft 7. `unit` is this project's own keyword (units.ts); `patternErrorMessage` is one of editors. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
}

/** Where a setting is read from besides the file, and where its faults go. */
export interface SettingSource {
  /** The text of an environment variable; undefined where it is unset or empty. */
  variable(name: string): string | undefined;
  /** @param path `server.port`, or the name of an environment variable */
  fault(path: string, message: string): void;
}

/**
 * The type of a setting.
 *
 * @template File what the file may hold
 * @template Value what the program gets: durations in milliseconds, sizes in bytes, members in camelCase
 */
export interface Kind<File, Value> {
  /** The form of the value in Markdown: `integer from 1 to 64`. */
  readonly form: string;
  readonly schema: JsonSchema;
  /** Members of an object, by their keys in the file. */
  readonly members?: Readonly<Record<string, AnySetting>>;
  /** The elements of a list or a map. */
  readonly items?: Kind<unknown, unknown>;
  /** @param file has passed the schema */
  value(file: File, source: SettingSource, path: string): Value;
  /** A rule that JSON Schema cannot express. Returns why a value cannot be used, without quoting it. */
  check?(file: File): string | undefined;
  /** Reads the text of an environment variable. Returns undefined where the text is wrong. */
  fromText?(text: string): File | undefined;
  /** The fault where `fromText` returns undefined. */
  readonly textFault?: string;
  /** The text of an environment variable for a value, where that is not the value itself. */
  toText?(file: File): string;
}

/** The members of every setting beside its kind. */
export type Facts<File> = {
  /** The effect of the setting, in one or two sentences. */
  readonly description: string;
  /** A value as an operator may write it. Not needed where the default or the kind shows the form. */
  readonly example?: NoInfer<File>;
  /** The environment variable that takes precedence over the file. */
  readonly variable?: string;
  /** Whether the value must not be shown. */
  readonly secret?: true;
} & (
  | { readonly default: NoInfer<File> }
  /** The value that applies if nothing is set and there is no fixed default. */
  | { readonly without: string }
  | { readonly required: true }
);

/** `Facts` without the rule that one of the last three is present. */
export interface AnyFacts {
  readonly description: string;
  readonly example?: unknown;
  readonly variable?: string;
  readonly secret?: true;
  readonly default?: unknown;
  readonly without?: string;
  readonly required?: true;
}

/** One setting of the file, or one environment variable. */
export interface Setting<File, Value> {
  readonly kind: Kind<unknown, unknown>;
  readonly facts: AnyFacts;
  readonly schema: JsonSchema;
  /**
   * The value of the variable, else of the file, else the default.
   *
   * @param file has passed the schema; undefined where the file has no value
   * @param variable defaults to the one of the facts
   */
  read(file: File, source: SettingSource, path: string, variable?: string): Value;
}

export type AnySetting = Setting<unknown, unknown>;
export type Settings = Readonly<Record<string, AnySetting>>;
export type FileOf<Of> = Of extends { read(file: infer File, ...rest: never[]): unknown } ? File : never;
export type ValueOf<Of> = Of extends { read(...all: never[]): infer Value } ? Value : never;

export type KindFile<Of> = Of extends Kind<infer File, infer _Value> ? File : never;
export type KindValue<Of> = Of extends Kind<infer _File, infer Value> ? Value : never;

type FileIn<Given, File> = Given extends { readonly required: true } ? File : File | undefined;
type ValueIn<Given, Value> = Given extends { readonly without: string } ? Value | undefined : Value;

/** Declares a setting: a kind, and what else is to be known of it. */
export function setting<File, Value, const Given extends Facts<File>>(
  kind: Kind<File, Value>,
  given: Given,
): Setting<FileIn<Given, File>, ValueIn<Given, Value>> {
  const facts: AnyFacts = given;
  return {
    kind: kind,
    facts,
    schema: { ...kind.schema, ...annotations(kind, facts) },
    read: (file, source, path, variable = facts.variable) => {
      const text = variable === undefined ? undefined : source.variable(variable);
      const value = (text === undefined ? (file ?? facts.default) : kind.fromText?.(text)) as File | undefined;
      const place = text === undefined || variable === undefined ? path : variable;
      if (text !== undefined && value === undefined) source.fault(place, kind.textFault ?? 'cannot be read');
      const fault = value === undefined ? undefined : kind.check?.(value);
      if (fault !== undefined) source.fault(place, fault);
      return (value === undefined ? undefined : kind.value(value, source, path)) as ValueIn<Given, Value>;
    },
  };
}

/** The text that editors show for a setting. */
function annotations(
  { schema, members }: Pick<Kind<never, unknown>, 'schema' | 'members'>,
  facts: AnyFacts,
): JsonSchema {
  const { description, example, variable, without } = facts;
  const texts = [
    description,
    ...(typeof schema['unit'] === 'string' ? [UNIT_HINTS[schema['unit']]] : []),
    ...(without === undefined ? [] : [`Default: ${without}.`]),
    ...(variable === undefined ? [] : [`The environment variable ${variable} takes precedence.`]),
  ];
  return {
    description: texts.join(' ').replaceAll('`', ''),
    ...('default' in facts && members === undefined && { default: facts.default }),
    ...(example !== undefined && { examples: [example] }),
  };
}

const DURATION_HINT = 'A duration: 500ms, 5s, 10m, 2h, 30d.';
const UNIT_HINTS: Readonly<Record<string, string>> = {
  duration: DURATION_HINT,
  timeout: DURATION_HINT,
  size: 'A size: 512KB, 32MB, 1GB (binary multiples).',
};
