import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ConfigError } from './config-error.js';
import { loadConfig } from './load-config.js';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const VALID: Json = {
  server: { max_body_size: '50MB', drain_timeout: '25s', cors_origins: ['https://a.example'] },
  upstream: { max_answer_size: '32MB', timeouts: { connect: '5s', first_byte: '60s', idle: '90s', total: '10m' } },
  streaming: { keep_alive: '15s' },
  batch: { concurrency: 8, lease: '60s', max_tasks: 1000, retention: '30d' },
  usage: { retention: '400d' },
  expose: 'all',
  providers: {
    one: { type: 'openai', base_url: 'http://127.0.0.1:9/v1', api_key: 'sk-1', quirks: { developer_role: false } },
    two: { type: 'anthropic', api_key: 'sk-2' },
  },
  models: [
    {
      id: 'm',
      strategy: 'weighted',
      deployments: [
        { provider: 'one', model: 'x', weight: 3, concurrency: 4 },
        { provider: 'two', model: 'y', weight: 1 },
      ],
      fallbacks: ['n'],
      price: { input_per_million: 0.25, output_per_million: 2, cached_input_per_million: 0.1 },
      limits: { rpm: 600, tpm: 200_000, concurrency: 50 },
      queue: { size: 10, timeout: '2s' },
      timeouts: { total: '1m' },
      context_length: 128_000,
      max_output_tokens: 4_096,
    },
    { id: 'n', deployments: [{ provider: 'two', model: 'z' }] },
  ],
};

/** Every place of the document that can be replaced. */
function pathsOf(value: Json, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const members: [string | number, Json][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...members.flatMap(([name, member]) => pathsOf(member, [...path, name]))];
}

function replaced(value: Json, [name, ...rest]: readonly (string | number)[], by: string): string {
  if (name === undefined) return by;
  if (Array.isArray(value)) {
    return `[${value.map((item, index) => (index === name ? replaced(item, rest, by) : JSON.stringify(item))).join(', ')}]`;
  }
  const members = Object.entries(value as { [name: string]: Json });
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}: ${key === name ? replaced(item, rest, by) : JSON.stringify(item)}`).join(', ')}}`;
}

/** The first number that is none that a ledger, a timer or a limit may take. */
function oddNumber(value: unknown, path = ''): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? undefined : `${path}: ${value}`;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const odd = oddNumber(member, `${path}.${name}`);
    if (odd !== undefined) return odd;
  }
  return undefined;
}

describe('a configuration with anything in any place', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-hostile-config-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is refused with faults that name their places, or has no number that cannot be counted with', () => {
    const numbers = ['.nan', '.inf', '-.inf', '1e300', '-1', '-0.5', '1.5', '9007199254740993', '0', '1e-320'];
    const value = fc.oneof(
      fc.constantFrom(...numbers),
      fc.constantFrom(
        '"12x"',
        '"1e9"',
        '"-5s"',
        '"99999999999d"',
        '"999999999GB"',
        '"NaN"',
        'null',
        'true',
        '""',
        '[]',
        '{}',
      ),
      fc.jsonValue().map((json) => JSON.stringify(json)),
    );
    fc.assert(
      fc.property(fc.constantFrom(...pathsOf(VALID)), value, (path, by) => {
        writeFileSync(join(folder, 'gateway.yaml'), replaced(VALID, path, by));
        try {
          expect(oddNumber(loadConfig({ env: {}, cwd: folder }))).toBeUndefined();
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          expect(error.faults.length).toBeGreaterThan(0);
          for (const fault of error.faults) expect(fault.message).not.toBe('');
        }
      }),
      { numRuns: 500 },
    );
  });
});
