import type { OpenAPIObject } from '@nestjs/swagger';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import type { DescribedRoute } from './described-routes.js';
import { applyRules, rulesOf, type DtoClass } from './validator-schema.js';

/** Where @nestjs/swagger keeps what decorators say of a property. */
const DOCUMENTED = 'swagger/apiModelProperties';
/** Where it keeps `@ApiExtraModels()`: the classes that alternatives of a class's properties refer to. */
const REFERRED = 'swagger/apiExtraModels';

/**
 * Makes the validators of bodies and queries the source of what the document says of them: types, bounds, patterns, which
 * members are required, and whether others are refused (`StrictBodyPipe`) or passed on. Changes the document.
 */
export function describeValidation(document: OpenAPIObject, routes: ReadonlyMap<string, DescribedRoute>): void {
  const schemas = (document.components?.schemas ?? {}) as Record<string, JsonObject>;
  const seen = new Set<DtoClass>();
  for (const operation of operationsOf(document)) {
    const route = routes.get(String(operation['operationId']));
    if (route === undefined) continue;
    if (route.body !== undefined) {
      describeBody(route.body, kindOf(route, operation), schemas, seen);
      describeAbsence(operation['requestBody'], route, schemas);
    }
    if (route.query !== undefined) describeQuery(operation['parameters'], route.query);
  }
}

function operationsOf(document: OpenAPIObject): JsonObject[] {
  return Object.values(document.paths).flatMap((path) => Object.values(path).filter(isObject));
}

interface BodyKind {
  readonly isClosed: boolean;
  /** Whether null is an absent member, as the libraries of the providers' formats send it. */
  readonly takesNull: boolean;
}

function kindOf({ isClosed }: DescribedRoute, { requestBody }: JsonObject): BodyKind {
  const content = isObject(requestBody) && isObject(requestBody['content']) ? requestBody['content'] : {};
  // The parts of a form have no null.
  return { isClosed, takesNull: !isClosed && 'application/json' in content };
}

function describeBody(
  cls: DtoClass,
  kind: BodyKind,
  schemas: Readonly<Record<string, JsonObject>>,
  seen: Set<DtoClass>,
): void {
  const schema = schemas[cls.name];
  if (schema === undefined || seen.has(cls)) return;
  seen.add(cls);
  schema['additionalProperties'] = !kind.isClosed;
  const rules = rulesOf(cls);
  const properties = (schema['properties'] ?? {}) as Record<string, JsonObject>;
  const required = new Set((schema['required'] ?? []) as string[]);
  for (const [name, property] of Object.entries(properties)) {
    const rule = rules.get(name);
    if (rule !== undefined) {
      applyRules(property, rule);
      if (rule.isOptional) required.delete(name);
      else required.add(name);
    }
    if (kind.takesNull && !required.has(name)) property['nullable'] = true;
    const nested = classOf(cls, name);
    if (nested !== undefined) describeBody(nested, kind, schemas, seen);
  }
  for (const referred of (Reflect.getMetadata(REFERRED, cls) ?? []) as DtoClass[]) {
    describeBody(referred, kind, schemas, seen);
  }
  if (required.size > 0) schema['required'] = [...required];
  else delete schema['required'];
}

/** A body that needs no member may be left out where the pipe takes an absent body for an empty one. */
function describeAbsence(
  requestBody: unknown,
  { body, isClosed }: DescribedRoute,
  schemas: Readonly<Record<string, JsonObject>>,
): void {
  if (!isClosed || body === undefined || !isObject(requestBody)) return;
  requestBody['required'] = schemas[body.name]?.['required'] !== undefined;
}

/** The class of a member that is an object or a list of objects. */
function classOf(cls: DtoClass, name: string): DtoClass | undefined {
  const documented = Reflect.getMetadata(DOCUMENTED, cls.prototype as object, name) as { type?: unknown } | undefined;
  let type = documented?.type;
  // The compiler plugin gives a function that returns the class, or a list of it.
  if (typeof type === 'function' && type.prototype === undefined) type = (type as () => unknown)();
  if (Array.isArray(type)) [type] = type as unknown[];
  return typeof type === 'function' ? (type as DtoClass) : undefined;
}

function describeQuery(parameters: unknown, cls: DtoClass): void {
  const rules = rulesOf(cls);
  for (const parameter of Array.isArray(parameters) ? (parameters as JsonObject[]) : []) {
    const rule = parameter['in'] === 'query' ? rules.get(String(parameter['name'])) : undefined;
    const schema = parameter['schema'];
    if (rule === undefined || !isObject(schema)) continue;
    applyRules(schema, rule);
    parameter['required'] = !rule.isOptional;
  }
}
