import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';

const ROOT = new URL('../..', import.meta.url).pathname;

/** `createKey`: what is done, and to what. */
const VERB_AND_NOUN =
  /^(?:estimate|retry|add|cancel|check|compact|complete|count|create|delete|download|drain|edit|embed|batchEmbed|enable|export|follow|generate|import|list|pause|purge|rank|read|reset|restore|resume|revoke|rotate|stream|submit|test|update|upload)[A-Z]\w+$/;

interface Operation {
  summary?: string;
  operationId?: string;
  tags?: string[];
  requestBody?: { content: Record<string, { schema?: unknown }> };
  responses: Record<string, { content?: Record<string, { schema?: unknown; example?: unknown; examples?: unknown }> }>;
}

describe('the OpenAPI document', () => {
  it('that is committed is the one of this build', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gateway-openapi-'));
    const file = join(folder, 'openapi.json');
    await promisify(execFile)(process.execPath, ['dist/src/write-openapi.js', file], { cwd: ROOT });
    const built = readFileSync(file, 'utf8');
    rmSync(folder, { recursive: true });
    if (built !== readFileSync(join(ROOT, 'openapi.json'), 'utf8')) {
      throw new Error('openapi.json is stale. Run npm run openapi and commit what it writes.');
    }
  });

  const document = JSON.parse(readFileSync(join(ROOT, 'openapi.json'), 'utf8')) as {
    tags: { name: string; description: string }[];
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, { properties?: Record<string, Record<string, unknown>> }> };
  };

  it('describes and names every operation', () => {
    const ids = new Set<string>();
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const where = `${method} ${path}`;
        expect([where, (operation.summary ?? '').length > 5]).toEqual([where, true]);
        expect([where, operation.tags?.length]).toEqual([where, 1]);
        expect([where, ids.has(operation.operationId ?? '')]).toEqual([where, false]);
        ids.add(operation.operationId ?? '');
      }
    }
  });

  it('names operations by verb and noun, and schemas without the suffix of their classes', () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const ids = operations.map(({ operationId = '' }) => operationId);
    expect(ids.filter((id) => !VERB_AND_NOUN.test(id))).toEqual([]);
    expect(ids).toEqual(expect.arrayContaining(['createKey', 'listUsage', 'createChatCompletion', 'submitBatch']));
    const names = Object.keys(document.components.schemas);
    expect(names.filter((name) => /dto/i.test(name))).toEqual([]);
    expect(JSON.stringify(document)).not.toMatch(/[a-z]Dto\b/);
    // Names that generated clients need for themselves.
    expect(names.filter((name) => ['Response', 'Error', 'Object', 'Client', 'Request'].includes(name))).toEqual([]);
  });

  it('declares every tag that it uses, with its words', () => {
    const used = new Set(
      Object.values(document.paths).flatMap((methods) => Object.values(methods).flatMap(({ tags = [] }) => tags)),
    );
    const declared = document.tags.filter(({ description }) => description.length > 5).map(({ name }) => name);
    expect([...used].filter((tag) => !declared.includes(tag))).toEqual([]);
    expect(declared.filter((tag) => !used.has(tag))).toEqual([]);
  });

  it('has schemas that the meta-schema of JSON Schema allows', () => {
    const ajv = new Ajv2020({ strict: false });
    expect(ajv.validateSchema({ minimum: '3' })).toBe(false);
    const schemas = Object.entries(document.components.schemas);
    expect(schemas.length).toBeGreaterThan(100);
    expect(schemas.filter(([, schema]) => ajv.validateSchema(schema) !== true).map(([name]) => name)).toEqual([]);
  });

  it('shows an example of each error status, as its schema has it', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'document', components: document.components });
    let count = 0;
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { responses }] of Object.entries(methods)) {
        for (const [status, { content = {} }] of Object.entries(responses)) {
          if (Number(status) < 400 || (path.startsWith('/health') && status === '503')) continue;
          const { schema, example } = content['application/json'] ?? {};
          const { $ref } = (schema ?? {}) as { $ref?: string };
          const validate = ajv.compile({ $ref: `document${$ref ?? '#/missing'}` });
          expect([method, path, status, validate(example), validate.errors]).toEqual([
            method,
            path,
            status,
            true,
            null,
          ]);
          count += 1;
        }
      }
    }
    expect(count).toBeGreaterThan(500);
  });

  it('shows examples of responses, of any status and media type, as their schemas have them', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'document', paths: document.paths, components: document.components });
    const pointer = (...names: string[]): string =>
      names.map((name) => `/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');
    const faults: unknown[] = [];
    let count = 0;
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { responses }] of Object.entries(methods)) {
        for (const [status, { content = {} }] of Object.entries(responses)) {
          for (const [type, { schema, example }] of Object.entries(content)) {
            if (schema === undefined || example === undefined) continue;
            const at = pointer('paths', path, method, 'responses', status, 'content', type, 'schema');
            const validate = ajv.compile({ $ref: `document#${at}` });
            if (!validate(example)) faults.push([method, path, status, type, validate.errors]);
            count += 1;
          }
        }
      }
    }
    expect(faults).toEqual([]);
    expect(count).toBeGreaterThan(500);
  });

  it('says of every object of a JSON request whether other members are taken, and has no default where absence changes nothing', () => {
    const closedOrOpen = new Set<string>();
    const visit = (schema: unknown, where: string): void => {
      if (Array.isArray(schema)) schema.forEach((each) => visit(each, where));
      if (typeof schema !== 'object' || schema === null) return;
      const { $ref, properties, additionalProperties } = schema as Record<string, unknown>;
      const name = typeof $ref === 'string' ? ($ref.split('/').at(-1) ?? '') : undefined;
      if (name !== undefined) {
        if (closedOrOpen.has(name)) return;
        closedOrOpen.add(name);
        visit(document.components.schemas[name], name);
        return;
      }
      if (properties !== undefined && additionalProperties === undefined)
        throw new Error(`${where} is neither open nor closed`);
      for (const [key, value] of Object.entries(schema)) {
        if (key !== 'example' && key !== 'default' && key !== 'enum') visit(value, where);
      }
    };
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { requestBody }] of Object.entries(methods)) {
        const schema = requestBody?.content['application/json']?.schema;
        visit(schema, `${method} ${path}`);
        const { $ref = '' } = (schema ?? {}) as { $ref?: string };
        const named = document.components.schemas[$ref.split('/').at(-1) ?? ''];
        const defaults = Object.values(named?.properties ?? {}).filter((property) => 'default' in property);
        if (method === 'patch') expect([path, defaults]).toEqual([path, []]);
      }
    }
    expect(closedOrOpen.size).toBeGreaterThan(20);
  });

  it('describes every field of every schema', () => {
    const bare = Object.entries(document.components.schemas).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(([, property]) => typeof property['description'] !== 'string' && property['$ref'] === undefined)
        .map(([field]) => `${name}.${field}`),
    );
    expect(bare).toEqual([]);
  });
});
