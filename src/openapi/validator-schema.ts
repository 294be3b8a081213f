import { getMetadataStorage } from 'class-validator';
import { isObject, type JsonObject } from '../runtime/json-value.js';

export type DtoClass = new () => object;

/** What class-validator checks of one property, in terms of JSON Schema. */
export interface PropertyRules {
  /** Whether the property may be left out. */
  readonly isOptional: boolean;
  /** Keywords of the value itself. */
  readonly value: JsonObject;
  /** Keywords of each item, from rules with `each: true`. */
  readonly items: JsonObject;
}

/** Keywords of each rule of class-validator that JSON Schema can express; its arguments are the rule's constraints. */
const KEYWORDS: Readonly<Record<string, (constraint: unknown) => JsonObject>> = {
  isString: () => ({ type: 'string' }),
  isInt: () => ({ type: 'integer' }),
  isNumber: () => ({ type: 'number' }),
  isBoolean: () => ({ type: 'boolean' }),
  isObject: () => ({ type: 'object' }),
  isArray: () => ({ type: 'array' }),
  isNotEmpty: () => ({ minLength: 1 }),
  isIn: (values) => ({ enum: values }),
  equals: (value) => ({ enum: [value] }),
  min: (minimum) => ({ minimum }),
  max: (maximum) => ({ maximum }),
  minLength: (minLength) => ({ minLength }),
  maxLength: (maxLength) => ({ maxLength }),
  matches: (pattern) => (pattern instanceof RegExp && pattern.flags === '' ? { pattern: pattern.source } : {}),
  arrayNotEmpty: () => ({ minItems: 1 }),
  arrayMinSize: (minItems) => ({ minItems }),
  arrayMaxSize: (maxItems) => ({ maxItems }),
  arrayUnique: () => ({ uniqueItems: true }),
};

/** @returns the rules of each property of a class that has any, its base classes included */
export function rulesOf(cls: DtoClass): ReadonlyMap<string, PropertyRules> {
  const found = new Map<string, { isOptional: boolean; value: JsonObject; items: JsonObject }>();
  for (const { propertyName, name, type, constraints, each } of getMetadataStorage().getTargetValidationMetadatas(
    cls,
    '',
    false,
    false,
  )) {
    const rules = found.get(propertyName) ?? { isOptional: false, value: {}, items: {} };
    found.set(propertyName, rules);
    // `@IsOptional()`, and `@ValidateIf()`, which this project uses for members that are optional but not null.
    if (type === 'conditionalValidation') rules.isOptional = true;
    const [constraint] = Array.isArray(constraints) ? (constraints as unknown[]) : [];
    const keywords = name === undefined ? undefined : KEYWORDS[name];
    if (keywords !== undefined) Object.assign(each ? rules.items : rules.value, keywords(constraint));
  }
  return found;
}

/**
 * Writes rules into the schema of a property, over what a decorator says of the same keyword. A schema of alternatives or a
 * reference is described by its decorator: a rule that sees a converted value (a time of a query) is not one of the text.
 */
export function applyRules(schema: JsonObject, { value, items }: PropertyRules): void {
  const alternatives = ['$ref', 'oneOf', 'anyOf', 'allOf'].some((name) => name in schema);
  if (alternatives || schema['type'] === 'null') return;
  const isText = value['type'] === 'string' || schema['type'] === 'string';
  for (const [name, keyword] of Object.entries(value)) {
    if (name === 'minLength' && !isText) continue;
    if (name === 'enum' && ('enum' in schema || schema['type'] === 'null')) continue;
    schema[name] = keyword;
  }
  const item = schema['items'];
  if (!isObject(item) || '$ref' in item || 'enum' in item || 'oneOf' in item) return;
  for (const [name, keyword] of Object.entries(items)) {
    if (name === 'minLength' && item['type'] !== 'string') continue;
    item[name] = keyword;
  }
}
