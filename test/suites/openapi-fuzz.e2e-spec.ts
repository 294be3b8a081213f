import { Ajv, type ValidateFunction } from 'ajv';
import fc from 'fast-check';
import { Agent, request } from 'undici';
import { NO_REAL_PROVIDER } from '../fixtures/gateway-config.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';

/** Requests in all; the figure that the product holds itself to. */
/** Fewer on PostgreSQL: what differs there is how text is stored. */
const REQUESTS = isPostgresRun ? 1_500 : 6_000;
const CONCURRENCY = 16;

interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  example?: unknown;
  [keyword: string]: unknown;
}

interface Operation {
  parameters?: { name: string; in: string; required?: boolean; schema: Schema; example?: unknown }[];
  requestBody?: { content: Record<string, { schema: Schema; examples?: Record<string, { value: unknown }> }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

interface Call {
  route: string;
  method: string;
  path: string;
  operation: Operation;
  headers: Record<string, string>;
  body: string | undefined;
}

/** The schemas of OpenAPI 3.1 are JSON schemas, but for the examples. */
function toJsonSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(toJsonSchema);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { example: _example, ...rest } = schema as Schema;
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, toJsonSchema(value)]));
}

function arbitraryOf(schema: Schema, document: OpenApi, depth = 0): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return arbitraryOf(document.components.schemas[name] ?? {}, document, depth);
  }
  const valid = validArbitraryOf(schema, document, depth);
  const candidates: fc.WeightedArbitrary<unknown>[] = [{ weight: 12, arbitrary: valid }];
  if (schema.example !== undefined) candidates.push({ weight: 8, arbitrary: fc.constant(schema.example) });
  candidates.push({ weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) }, { weight: 1, arbitrary: fc.constant(null) });
  return fc.oneof(...candidates);
}

function validArbitraryOf(schema: Schema, document: OpenApi, depth: number): fc.Arbitrary<unknown> {
  const alternatives = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (alternatives !== undefined)
    return fc.oneof(...alternatives.map((each) => arbitraryOf(each, document, depth + 1)));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (Array.isArray(schema.type)) {
    return fc.oneof(...schema.type.map((type) => validArbitraryOf({ ...schema, type }, document, depth)));
  }
  switch (schema.type) {
    case 'string':
      return fc.string({ maxLength: 30, unit: 'grapheme' });
    case 'integer':
    case 'number': {
      const minimum = schema.minimum ?? -1;
      // Large values of a field are not drawn: they would make the gateway do much work.
      const maximum = Math.max(minimum, (schema.maximum ?? 300) > 1e6 ? 300 : (schema.maximum ?? 300));
      return fc.oneof(
        fc.integer({ min: Math.floor(minimum - 1), max: Math.ceil(maximum + 1) }),
        fc.double({ min: minimum, max: Math.max(minimum, Math.min(schema.maximum ?? 3, 1e6)), noNaN: true }),
      );
    }
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(depth > 4 ? fc.constant({}) : arbitraryOf(schema.items ?? {}, document, depth + 1), {
        maxLength: 4,
      });
    case 'object': {
      const properties = Object.entries(schema.properties ?? {});
      const required = (schema.required ?? []).filter((name) => schema.properties?.[name] !== undefined);
      return fc
        .record(Object.fromEntries(properties.map(([name, each]) => [name, arbitraryOf(each, document, depth + 1)])), {
          requiredKeys: required,
        })
        .chain((value) =>
          fc.oneof({ weight: 9, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: withExtra(value) }),
        );
    }
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

/** Empty, or dots alone, it would lead to another route. */
const pathSegment = fc
  .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
  .filter((text) => !/^\.{1,2}$/.test(text));

/** Lone surrogates cannot be sent in a URL. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

function withExtra(value: object): fc.Arbitrary<object> {
  return fc
    .dictionary(fc.string({ maxLength: 10 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 2 })
    .map((extra) => ({ ...extra, ...value }));
}

function callsOf(document: OpenApi, keys: readonly string[]): fc.Arbitrary<Call> {
  const operations = Object.entries(document.paths).flatMap(([route, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ route, method, operation })),
  );
  return fc.constantFrom(...operations).chain(({ route, method, operation }) => {
    const content = Object.values(operation.requestBody?.content ?? {})[0];
    const examples = Object.values(content?.examples ?? {}).map(({ value }) => value);
    const structured =
      content === undefined
        ? fc.constant(undefined)
        : arbitraryOf(content.schema, document).map((value) => JSON.stringify(value));
    const body: fc.Arbitrary<string | undefined> =
      content === undefined
        ? fc.constant(undefined)
        : fc.oneof(
            { weight: 30, arbitrary: structured },
            {
              weight: 3,
              arbitrary: fc.constantFrom(JSON.stringify({}), ...examples.map((value) => JSON.stringify(value))),
            },
            { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
          );
    const parameters = (operation.parameters ?? []).map(({ name, in: place, required, schema, example }) => ({
      name,
      place,
      value: fc.oneof(
        place === 'path' ? pathSegment : fc.string({ maxLength: 20, unit: 'grapheme' }),
        fc.constant(`${(example ?? schema.example ?? 'x') as string | number}`),
        ...(required === true ? [] : [fc.constant(undefined)]),
      ),
    }));
    return fc
      .record({
        body,
        values: fc.tuple(...parameters.map(({ value }) => value)),
        authorization: fc.oneof(
          { weight: 8, arbitrary: fc.constantFrom(...keys.map((key) => `Bearer ${key}`)) },
          { weight: 1, arbitrary: fc.constantFrom('', 'Bearer', 'Basic abc', 'Bearer gw_wrong_key_here') },
        ),
        contentType: fc.oneof(
          { weight: 20, arbitrary: fc.constant('application/json') },
          { weight: 1, arbitrary: fc.constantFrom('text/plain', 'application/json; charset=utf-7', 'nonsense') },
        ),
      })
      .map(({ body: text, values, authorization, contentType }) => {
        let path = route;
        const query = new URLSearchParams();
        parameters.forEach(({ name, place }, index) => {
          const value = values[index];
          if (value === undefined) return;
          if (place === 'path') path = path.replace(`{${name}}`, encodeURIComponent(wellFormed(value)));
          else if (place === 'query') query.set(name, wellFormed(value));
        });
        const headers: Record<string, string> = authorization === '' ? {} : { authorization };
        if (text !== undefined) headers['content-type'] = contentType;
        return {
          route,
          method: method.toUpperCase(),
          path: query.size > 0 ? `${path}?${query.toString()}` : path,
          operation,
          headers,
          body: text,
        };
      });
  });
}

describe('random requests made from the OpenAPI document', () => {
  let gateway: RunningGateway;
  let dispatcher: Agent;

  beforeAll(async () => {
    gateway = await startGateway({ env: NO_REAL_PROVIDER });
    dispatcher = new Agent({ connections: CONCURRENCY });
  });
  afterAll(async () => {
    await dispatcher.close();
    await gateway.stop();
  });

  it(`${REQUESTS} of them: no 5xx that the request did not ask for, and no body outside its schema`, async () => {
    const document = await gateway.client('').read<OpenApi>('/docs-json');
    const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false });
    ajv.addSchema({ $id: 'openapi', components: toJsonSchema(document.components) as object });
    const validators = new Map<string, ValidateFunction>();
    const validatorOf = (schema: Schema): ValidateFunction => {
      const key = JSON.stringify(schema);
      let validate = validators.get(key);
      if (validate === undefined) {
        const text = JSON.stringify(toJsonSchema(schema)).replaceAll('"#/components/', '"openapi#/components/');
        validate = ajv.compile(JSON.parse(text) as object);
        validators.set(key, validate);
      }
      return validate;
    };

    const inferenceKey = await gateway.apiKey();
    const calls = fc.sample(callsOf(document, [gateway.adminKey, inferenceKey]), {
      numRuns: REQUESTS,
      seed: 20_261_123,
    });
    const faults: string[] = [];
    const statuses = new Map<number, number>();
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let call = calls[next++]; call !== undefined; call = calls[next++]) {
        const response = await request(`${gateway.url}${call.path}`, {
          dispatcher,
          method: call.method,
          headers: call.headers,
          body: call.body ?? null,
        });
        const text = await response.body.text();
        statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1);
        const fault = faultOf(
          call,
          response.statusCode,
          String(response.headers['content-type'] ?? ''),
          text,
          validatorOf,
        );
        if (fault !== undefined)
          faults.push(
            `${call.method} ${call.path} ${call.body ?? ''}\n  -> ${response.statusCode} ${text.slice(0, 300)}\n  ${fault}`,
          );
        if (response.headers['x-request-id'] === undefined) faults.push(`${call.method} ${call.path}: no x-request-id`);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    expect(faults.slice(0, 5)).toEqual([]);
    // The generator must reach both good answers and refusals, else it proves nothing.
    expect(statuses.get(200) ?? 0).toBeGreaterThan(REQUESTS / 20);
    expect(statuses.get(400) ?? 0).toBeGreaterThan(REQUESTS / 20);
    expect(statuses.get(401) ?? 0).toBeGreaterThan(REQUESTS / 100);
  });
});

/** Chat streams end with `[DONE]`, those of images and audio with an event of their own. */
function hasEnded(text: string): boolean {
  if (text.endsWith('data: [DONE]\n\n')) return true;
  const last = text.trimEnd().split('\n\n').at(-1) ?? '';
  // Gemini has no event for the end: the last chunk says why it stopped.
  if (last.startsWith('data: ') && last.includes('"finishReason"')) return true;
  return /^event: (?:image_(?:generation|edit)\.completed|speech\.audio\.done|transcript\.text\.done|message_stop|response\.(?:completed|incomplete|failed))$/m.test(
    last,
  );
}

function faultOf(
  call: Call,
  status: number,
  contentType: string,
  text: string,
  validatorOf: (schema: Schema) => ValidateFunction,
): string | undefined {
  const asksForFault = (call.body ?? '').includes('sandbox/error-500') || (call.body ?? '').includes('sandbox/cut');
  if (status >= 500 && !asksForFault) return 'a 5xx';
  const documented = call.operation.responses[String(status)];
  // A path parameter that is empty or has a slash leads to another route, or to none.
  if (documented === undefined)
    return status === 404 && text.includes('"error"') ? undefined : 'a status that is not documented';
  if (contentType.startsWith('text/event-stream')) {
    return hasEnded(text) || text.includes('"error"') ? undefined : 'a stream that does not end';
  }
  const content = documented.content?.['application/json'] ?? Object.values(documented.content ?? {})[0];
  if (content === undefined) return text === '' ? undefined : 'a body where none is documented';
  const validate = validatorOf(content.schema);
  // JSON lines are held to the schema one by one.
  const values = contentType.startsWith('application/x-ndjson')
    ? text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as unknown)
    : [contentType.startsWith('application/json') ? (JSON.parse(text) as unknown) : text];
  return values.every((value) => validate(value))
    ? undefined
    : `outside its schema: ${JSON.stringify(validate.errors?.[0])}`;
}
