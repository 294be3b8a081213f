import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

type Json = Readonly<Record<string, unknown>>;

interface Operation {
  readonly responses: Readonly<Record<string, { content?: Record<string, { schema?: unknown }> }>>;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Record<string, Operation>>>;
}

/** Members of OpenAPI's schemas that JSON Schema does not have, or that do not constrain. */
const ANNOTATIONS = new Set(['example', 'examples', 'discriminator', 'xml', 'externalDocs']);

/** A response, as far as the OpenAPI document speaks of it. */
export interface CheckedResponse {
  readonly method: string;
  readonly pathname: string;
  readonly status: number;
  /** Without parameters such as `charset`. */
  readonly mediaType: string;
  /** Undefined where it was not read. */
  readonly body?: unknown;
}

/**
 * Holds responses to the OpenAPI document with a validator of its own, in strict mode. An object that does not declare
 * `additionalProperties` may have its declared properties only, so that a field without documentation is found as well.
 */
export class ResponseContract {
  private readonly ajv = new Ajv2020({
    strict: true,
    allowUnionTypes: true,
    strictRequired: false,
    allErrors: true,
    // Every test file reads the document; openapi-document.e2e-spec.ts holds it to the meta-schema once.
    meta: false,
    validateSchema: false,
  });
  private readonly routes: { readonly pattern: RegExp; readonly path: string; readonly parameters: number }[];
  private readonly validators = new Map<string, ValidateFunction>();

  constructor(private readonly document: OpenApi) {
    formats.default(this.ajv);
    this.ajv.addVocabulary(['openapi', 'info', 'paths', 'servers', 'tags', 'components']);
    this.ajv.addSchema(strictly(document) as Json, 'document');
    this.routes = Object.keys(document.paths)
      .map((path) => ({
        path,
        parameters: path.split('{').length - 1,
        // A model's id may have a slash.
        pattern: new RegExp(`^${path.replace('/v1/models/{id}', '/v1/models/.+').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
      }))
      .sort((one, other) => one.parameters - other.parameters);
  }

  /** The document that the global setup of the e2e tests wrote. */
  static fromFile(file: string): ResponseContract {
    return new ResponseContract(JSON.parse(readFileSync(file, 'utf8')) as OpenApi);
  }

  /** @returns what is wrong with the response; undefined where it is right, or the document does not know the route */
  faultOf({ method, pathname, status, mediaType, body }: CheckedResponse): string | undefined {
    const full = this.routes.find(({ pattern }) => pattern.test(pathname));
    // Every route is also served without the prefix.
    const route = full ?? this.routes.find(({ pattern }) => pattern.test(`/v1${pathname}`));
    const verb = method.toLowerCase() === 'head' ? 'get' : method.toLowerCase();
    const operation = route && this.document.paths[route.path]?.[verb];
    if (route === undefined || operation === undefined) return undefined;
    const response = operation.responses[String(status)];
    if (response === undefined) return 'the status is not documented';
    const { content } = response;
    if (content === undefined) return body === undefined || body === '' ? undefined : 'no body is documented';
    if (mediaType !== '' && content[mediaType] === undefined) return `the media type ${mediaType} is not documented`;
    if (body === undefined || content[mediaType]?.schema === undefined) return undefined;
    const pointer = ['paths', route.path, verb, 'responses', String(status), 'content', mediaType, 'schema'];
    const validate = this.validatorOf(pointer.map(asPointer).join('/'));
    return validate(body) ? undefined : textOf(validate.errors);
  }

  /** @returns what is wrong with a value of the named schema; undefined where it is right */
  faultOfSchema(name: string, value: unknown): string | undefined {
    const validate = this.validatorOf(`components/schemas/${name}`);
    return validate(value) ? undefined : textOf(validate.errors);
  }

  private validatorOf(pointer: string): ValidateFunction {
    let validate = this.validators.get(pointer);
    if (validate === undefined) {
      validate = this.ajv.compile({ $ref: `document#/${pointer}` });
      this.validators.set(pointer, validate);
    }
    return validate;
  }
}

/** Each kind of fault once, however many items of a list have it. */
function textOf(errors: readonly ErrorObject[] | null | undefined): string {
  const texts = (errors ?? []).map(({ instancePath, message, params }) => {
    const name = (params as Json)['unevaluatedProperty'];
    return `${instancePath.replaceAll(/\/\d+/g, '/*')} ${message ?? ''}${typeof name === 'string' ? ` (${name})` : ''}`;
  });
  return [...new Set(texts)].slice(0, 8).join('; ');
}

function asPointer(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function strictly(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strictly);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name, member]) => !ANNOTATIONS.has(name) || isSchemaNamed(member));
  const schema = Object.fromEntries(entries.map(([name, member]) => [name, strictly(member)]));
  const { type, properties } = value as Json;
  const isObjectSchema = type === 'object' && typeof properties === 'object';
  return isObjectSchema && !('additionalProperties' in value) ? { ...schema, unevaluatedProperties: false } : schema;
}

/** A property may have the name of an annotation. */
function isSchemaNamed(member: unknown): boolean {
  return typeof member === 'object' && member !== null && ('$ref' in member || 'description' in member);
}
