import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = new URL('../..', import.meta.url).pathname;

interface Operation {
  summary?: string;
  operationId?: string;
  tags?: string[];
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

  it('describes every field of every schema', () => {
    const bare = Object.entries(document.components.schemas).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(([, property]) => typeof property['description'] !== 'string' && property['$ref'] === undefined)
        .map(([field]) => `${name}.${field}`),
    );
    expect(bare).toEqual([]);
  });
});
