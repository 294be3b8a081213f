import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validateSync } from 'class-validator';
import { GatewayError, invalidRequest } from '../errors/gateway-error.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { assertStorable } from './outside-text.js';
import { toInvalidRequest } from './validation-errors.js';

type Class = new () => object;

/** The declaration of one property of a class. */
interface Property {
  /** The class of a nested object; undefined where the value is kept as it was parsed. */
  readonly nested: Class | undefined;
  /** Whether null has a meaning in the document. */
  readonly isNullable: boolean;
}

export interface ToInstanceOptions {
  /** The meaning of a null that the document does not define: a fault, or an absent member. */
  readonly strayNull: 'fault' | 'absent';
}

/** Characters of an unknown member's name that are shown. */
const MAX_NAME_CHARACTERS = 100;
/** Where @nestjs/swagger keeps what the document says of a property. */
const DOCUMENTED = 'swagger/apiModelProperties';

const properties = new Map<Class, ReadonlyMap<string, Property>>();

/**
 * Makes a checked instance of a class of a parsed object. class-transformer sees scalars alone: on objects it takes quadratic
 * time in the number of members, and loses members or fails by their names (`constructor`, `__proto__`). Here only declared
 * members are looked at, nested classes are made by recursion, and every other object or list is kept as it was parsed.
 *
 * @throws GatewayError 400 for the first fault: an unknown member, a text that no database keeps, or what class-validator finds
 */
export function toInstance<T extends object>(cls: new () => T, plain: unknown, options: ToInstanceOptions): T {
  if (!isObject(plain)) throw invalidRequest('The request body must be a JSON object.', null, 'invalid_type');
  const strayNulls: string[] = [];
  const instance = build(cls, plain, '', options, strayNulls);
  const errors = validateSync(instance, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: false,
    validationError: { target: false, value: true },
  });
  if (errors.length > 0) throw toInvalidRequest(errors);
  const [path] = strayNulls;
  if (path !== undefined) {
    throw invalidRequest(`'${path}' must not be null. Leave it out, or send a value.`, path, 'invalid_type');
  }
  return instance as T;
}

function build(
  cls: Class,
  plain: JsonObject,
  prefix: string,
  options: ToInstanceOptions,
  strayNulls: string[],
): object {
  const declared = propertiesOf(cls);
  const instance: object = new cls();
  for (const name of Object.keys(plain)) {
    const property = declared.get(name);
    const path = `${prefix}${name.slice(0, MAX_NAME_CHARACTERS).toWellFormed()}`;
    if (property === undefined) throw unknownMember(path);
    const value = plain[name];
    if (value === null && !property.isNullable) {
      if (options.strayNull === 'absent') continue;
      strayNulls.push(path);
    }
    Reflect.set(instance, name, valueOf(cls, name, property, value, path, options, strayNulls));
  }
  return instance;
}

function valueOf(
  cls: Class,
  name: string,
  { nested }: Property,
  value: unknown,
  path: string,
  options: ToInstanceOptions,
  strayNulls: string[],
): unknown {
  if (nested !== undefined && value !== null && value !== undefined) {
    if (!isObject(value)) throw invalidRequest(`'${path}' must be an object.`, path, 'invalid_type');
    return build(nested, value, `${path}.`, options, strayNulls);
  }
  if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => {
      if (typeof item === 'string') assertStorable(item, `${path}[${index}]`);
    });
    return value;
  }
  if (typeof value === 'string') assertStorable(value, path);
  if (typeof value === 'object') return value;
  return (plainToInstance(cls, { [name]: value }) as JsonObject)[name];
}

function unknownMember(path: string): GatewayError {
  return invalidRequest(`Unknown field '${path}'. Remove it or check its spelling.`, path, 'unknown_parameter');
}

function propertiesOf(cls: Class): ReadonlyMap<string, Property> {
  let known = properties.get(cls);
  if (known === undefined) {
    const names = getMetadataStorage()
      .getTargetValidationMetadatas(cls, '', false, false)
      .map(({ propertyName }) => propertyName);
    known = new Map([...new Set(names)].map((name) => [name, propertyOf(cls, name)]));
    properties.set(cls, known);
  }
  return known;
}

/** The class of a nested object is derived from what class-transformer makes of an empty object. */
function propertyOf(cls: Class, name: string): Property {
  const made: unknown = (plainToInstance(cls, { [name]: {} }) as JsonObject)[name];
  const nested = isObject(made) && made.constructor !== Object ? (made.constructor as Class) : undefined;
  const documented = Reflect.getMetadata(DOCUMENTED, cls.prototype as object, name) as
    { nullable?: unknown } | undefined;
  return { nested, isNullable: documented?.nullable === true };
}
