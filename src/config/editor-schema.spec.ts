import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { parse } from 'yaml';
import { editorSchema } from './editor-schema.js';
import { GATEWAY_SCHEMA } from './gateway-schema.js';
import { PROCESS_SECTIONS, ROUTING_SECTIONS } from './settings/gateway-file.js';
import { keysOf } from './settings/tables.js';
import { fileFaults } from './validate-file.js';

/** As an editor validates: it ignores keywords that it does not know. */
const isValid = new Ajv({ strict: false }).compile(editorSchema(GATEWAY_SCHEMA));

const keys = Object.entries({ ...PROCESS_SECTIONS, ...ROUTING_SECTIONS }).flatMap(([key, entry]) => keysOf(key, entry));

/** A file with a value in one place, and nothing that is missing beside it. */
function fileWith(name: string, value: unknown): unknown {
  const deployment = { provider: 'p', model: 'm' };
  const needed: Record<string, object> = {
    'files.s3': { bucket: 'files' },
    'batch.output_buckets[]': { bucket: 'results' },
    'console.oidc': { issuer: 'https://a', client_id: 'a', redirect_base: 'https://b', roles: {} },
    'models[]': { id: 'a', deployments: [deployment] },
    'models[].deployments[]': deployment,
    'models[].price': { input_per_million: 1, output_per_million: 1 },
    'models[].price.images[]': { per_image: 1 },
  };
  const steps = name.split('.');
  return steps.reduceRight<unknown>((below, step, index) => {
    const path = steps.slice(0, index + 1).join('.');
    const isLast = index === steps.length - 1;
    const beside = needed[path];
    const own = isLast || beside === undefined ? below : { ...beside, ...(below as object) };
    return { [step === '<name>' ? 'mine' : step.replace('[]', '')]: step.endsWith('[]') ? [own] : own };
  }, value);
}

it('takes gateway.example.yaml as it is written, with its placeholders', () => {
  const example: unknown = parse(readFileSync(new URL('../../gateway.example.yaml', import.meta.url), 'utf8'));
  expect(isValid(example)).toBe(true);
  expect(JSON.stringify(example)).toContain('${PORT');
});

it('takes a placeholder in the place of every value that is not an object or a list', () => {
  const plain = keys.filter(({ kind }) => kind.members === undefined && kind.items === undefined);
  expect(plain.length).toBeGreaterThan(50);
  for (const { name } of plain) {
    expect([name, isValid(fileWith(name, '${NAME:-1}'))]).toEqual([name, true]);
    expect([name, isValid(fileWith(name, null))]).toEqual([name, false]);
  }
});

it('takes all that the gateway takes', () => {
  const value = fc.oneof(
    fc.constantFrom(
      '0',
      0,
      '5s',
      ' 5 s ',
      '1.5m',
      '0s',
      '00d',
      '32MB',
      '0KB',
      '1GB',
      5,
      -1,
      1.5,
      true,
      'json',
      'x',
      '',
      [],
    ),
    fc.jsonValue(),
  );
  let taken = 0;
  fc.assert(
    fc.property(fc.constantFrom(...keys.map(({ name }) => name)), value, (name, each) => {
      const file = fileWith(name, each);
      if (fileFaults(file).length > 0) return;
      taken += 1;
      expect(isValid(file)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
  expect(taken).toBeGreaterThan(100);
});

it.each([
  ['server.port', '3000x'],
  ['server.port', 70_000],
  ['server.drain_timeout', '25'],
  ['server.drain_timeout', 25],
  ['batch.lease', '0s'],
  ['batch.lease', 0],
  ['server.max_body_size', '50 mb'],
  ['log.level', 'loud'],
  ['sandbox', 'yes'],
  ['providers.<name>.region', '../evil'],
  ['alerts.webhook_secret', 'whsec_short'],
  ['models[].deployments[].weight', 0],
])('refuses %s: %j, as the gateway does', (name, value) => {
  const file = fileWith(name, value);
  expect(fileFaults(file)).not.toEqual([]);
  expect(isValid(file)).toBe(false);
});
