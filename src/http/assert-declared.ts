import { validateSync, getMetadataStorage } from 'class-validator';
import { invalidRequest } from '../errors/gateway-error.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { toInvalidRequest } from './validation-errors.js';

type Class = new () => object;

const declaredNames = new Map<Class, readonly string[]>();

/**
 * Validates the members of a parsed body that a class declares rules for. The body is not changed, so that unknown members can
 * pass through to a provider; nor is it copied, so that a long list costs nothing here.
 *
 * @throws GatewayError 400 for the first fault, `param` naming its path
 */
export function assertDeclared(cls: Class, body: unknown): asserts body is JsonObject {
  if (!isObject(body)) throw invalidRequest('The request body must be a JSON object.', null, 'invalid_type');
  const instance: object = new cls();
  for (const name of namesOf(cls)) {
    if (Object.hasOwn(body, name)) Reflect.set(instance, name, body[name]);
  }
  const errors = validateSync(instance, { forbidUnknownValues: false });
  if (errors.length > 0) throw toInvalidRequest(errors);
}

function namesOf(cls: Class): readonly string[] {
  let names = declaredNames.get(cls);
  if (names === undefined) {
    const rules = getMetadataStorage().getTargetValidationMetadatas(cls, '', false, false);
    names = [...new Set(rules.map(({ propertyName }) => propertyName))];
    declaredNames.set(cls, names);
  }
  return names;
}
