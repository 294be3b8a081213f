import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Method } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';

type Json = Record<string, unknown>;
type Path = readonly (string | number)[];

interface Schema extends Json {
  $ref?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  allOf?: Schema[];
  oneOf?: Schema[];
  anyOf?: Schema[];
}
interface Media {
  schema: Schema;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}
interface OpenApi {
  paths: Record<string, Record<string, { requestBody?: { content: Record<string, Media> } }>>;
  components: { schemas: Record<string, Schema> };
}

/** Values of every type, and of types within them. */
const VALUES: readonly unknown[] = [null, true, -7, 0.5, 'text', '', [], [7], [null], [[]], {}, { other: [7] }];
/** Members that go to Claude as they came, where the provider checks them, and are left out for other models. */
const UNREAD = /^POST \/v1\/messages(\/count_tokens)? (cache_control|service_tier|metadata|output_config)\b/;

/** The fields of requests, one by one: what the document refuses is refused. */
describe('the fields of request bodies', () => {
  let gateway: RunningGateway;
  let document: OpenApi;

  beforeAll(async () => {
    gateway = await startGateway({ config: { sandbox: true } });
    document = await gateway.client('').read<OpenApi>('/docs-json');
  });
  afterAll(() => gateway.stop());

  /** The places of all fields that are declared where the body has an object, and of the elements of its arrays. */
  function fieldsOf(schema: Schema, body: unknown, path: Path = []): Path[] {
    const whole = resolved(schema);
    const options = [whole, ...(whole.allOf ?? []), ...(whole.oneOf ?? []), ...(whole.anyOf ?? [])].map(resolved);
    if (Array.isArray(body)) {
      if (body.length === 0) return [];
      const first = [...path, 0];
      return [first, ...options.flatMap(({ items }) => (items === undefined ? [] : fieldsOf(items, body[0], first)))];
    }
    if (typeof body !== 'object' || body === null) return [];
    return options.flatMap(({ properties = {} }) =>
      Object.entries(properties).flatMap(([name, property]) => {
        const there = [...path, name];
        return [there, ...fieldsOf(property, (body as Json)[name], there)];
      }),
    );
  }

  function resolved(schema: Schema): Schema {
    if (schema.$ref === undefined) return schema;
    return document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? schema;
  }

  it('are refused with a value that their schema does not allow, at any depth', async () => {
    const ajv = new Ajv2020({ strict: false, validateSchema: false });
    formats.default(ajv);
    ajv.addSchema(document, 'document');
    const taken: string[] = [];
    const operations = new Set<string>();
    let sent = 0;
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { requestBody }] of Object.entries(methods)) {
        const media = requestBody?.content['application/json'];
        if (media === undefined) continue;
        const pointer = `paths/${path.replaceAll('/', '~1')}/${method}/requestBody/content/application~1json/schema`;
        const isAllowed = ajv.compile({ $ref: `document#/${pointer.split('/').map(encodeURIComponent).join('/')}` });
        const body = bodyOf(media, document);
        expect([path, body, isAllowed(body)]).toEqual([path, body, true]);
        for (const field of fieldsOf(media.schema, body)) {
          for (const value of VALUES) {
            const changed = withValue(body, field, value);
            const name = `${method.toUpperCase()} ${path} ${field.join('.')}`;
            if (isAllowed(changed) || UNREAD.test(name)) continue;
            const verb = method.toUpperCase() as Method;
            const { status } = await gateway.admin.send(verb, pathOf(path), changed);
            sent += 1;
            operations.add(`${method} ${path}`);
            if (status !== 400) taken.push(`${name} = ${JSON.stringify(value)}: ${status}`);
          }
        }
      }
    }
    expect(taken).toEqual([]);
    expect(operations.size).toBeGreaterThan(25);
    expect(sent).toBeGreaterThan(1_000);
  });
});

function pathOf(path: string): string {
  return path.replace('{model}', 'sandbox%2Fecho').replaceAll(/\{\w+\}/g, 'none');
}

/** The example of a body: its own, or that of the fields of its schema. */
function bodyOf({ example, examples, schema }: Media, document: OpenApi): unknown {
  const first = Object.values(examples ?? {})[0]?.value ?? example;
  return first ?? sampleOf(schema, document);
}

function sampleOf(schema: Schema, document: OpenApi): unknown {
  if (schema.$ref !== undefined) {
    return sampleOf(document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, document);
  }
  if (schema['example'] !== undefined) return schema['example'];
  const { properties, items } = schema;
  if (items !== undefined) return [sampleOf(items, document)];
  const required = (schema['required'] ?? []) as string[];
  const entries = Object.entries(properties ?? {}).filter(
    ([name, property]) => required.includes(name) || property['example'] !== undefined,
  );
  return Object.fromEntries(entries.map(([name, property]) => [name, sampleOf(property, document)]));
}

function withValue(body: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  const inner = withValue((body as Record<string | number, unknown>)[step], rest, value);
  if (Array.isArray(body)) return body.map((each: unknown, index) => (index === step ? inner : each));
  return { ...(body as Json), [step]: inner };
}
