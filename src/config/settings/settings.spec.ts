import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse, stringify } from 'yaml';
import { Environment } from '../environment.js';
import type { Configuration } from '../gateway-config.js';
import { PROVIDER_TYPES, PROVIDER_DEFINITIONS } from '../../providers/definitions/registry.js';
import { loadConfig } from '../load-config.js';
import { parseDuration, parseSize } from '../units.js';
import { fileFaults } from '../validate-file.js';
import { PROCESS_SECTIONS, ROUTING_SECTIONS } from './gateway-file.js';
import { keysOf } from './tables.js';
import { allVariables } from './variables.js';

const keys = Object.entries({ ...PROCESS_SECTIONS, ...ROUTING_SECTIONS }).flatMap(([key, entry]) => keysOf(key, entry));
const variables = Object.entries(allVariables()).map(([name, { kind, facts }]) => ({ name, kind, facts }));
const all = [...keys, ...variables];

/** As a value with its unit means it; ajv alone does not know the keyword. */
const ajv = new Ajv({ strict: false }).addKeyword({
  keyword: 'unit',
  validate: (unit: string, value: unknown) => (unit === 'size' ? parseSize(value) : parseDuration(value)) !== undefined,
});

describe('every setting', () => {
  it('has a description that is a sentence, and a default, an explanation of its absence, or is required', () => {
    expect(keys.length).toBeGreaterThan(60);
    expect(variables.length).toBeGreaterThan(50);
    for (const { name, facts } of all) {
      const { description, without, required } = facts;
      expect([name, description]).toEqual([name, expect.stringMatching(/^[A-Z`][^]+[.)]$/)]);
      const said = ['default' in facts, without !== undefined, required === true].filter(Boolean);
      expect([name, said]).toEqual([name, [true]]);
      if (without !== undefined) expect([name, without]).toEqual([name, expect.stringMatching(/[^.]$/)]);
    }
  });

  it('has a default and an example that its own schema allows', () => {
    for (const { name, kind, facts } of all) {
      const values = [facts.default, facts.example].filter((value) => value !== undefined);
      const isPlaceholder = (value: unknown) => typeof value === 'string' && value.startsWith('${');
      for (const value of values.filter((each) => !isPlaceholder(each) && kind.members === undefined)) {
        expect([name, value, ajv.validate(kind.schema, value)]).toEqual([name, value, true]);
        expect([name, kind.check?.(value)]).toEqual([name, undefined]);
      }
    }
  });

  it('shows the form of its value: by its kind, by its default or by an example', () => {
    const isShown = ({ kind, facts }: (typeof all)[number]): boolean =>
      facts.secret === true ||
      facts.example !== undefined ||
      (facts.default !== undefined && !(Array.isArray(facts.default) && kind.items?.members === undefined)) ||
      kind.members !== undefined ||
      kind.items?.members !== undefined ||
      kind.schema['enum'] !== undefined ||
      kind.schema['type'] === 'boolean';
    expect(all.filter((each) => !isShown(each)).map(({ name }) => name)).toEqual([]);
  });
});

describe('environment variables', () => {
  const names = new Set(variables.map(({ name }) => name));

  it('are read only if they have an entry', () => {
    const asked = new Set<string>();
    const { variable } = Environment.prototype;
    const folder = mkdtempSync(join(tmpdir(), 'gateway-variables-'));
    const types = ['openai', ...PROVIDER_TYPES];
    const providers = Object.fromEntries(types.map((type) => [`my-${type}`, { type }]));
    writeFileSync(join(folder, 'gateway.yaml'), stringify({ providers }));
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      ...Object.fromEntries(
        PROVIDER_DEFINITIONS.flatMap(({ keyVariable }) => (keyVariable === undefined ? [] : [[keyVariable, 'key']])),
      ),
    };
    try {
      Environment.prototype.variable = function (name) {
        asked.add(name);
        return variable.call(this, name);
      };
      // The faults name what the clouds lack; what counts here is what was asked for on the way.
      expect(() => loadConfig({ env, cwd: folder })).toThrow(/faults/);
    } finally {
      Environment.prototype.variable = variable;
      rmSync(folder, { recursive: true });
    }
    expect([...asked].filter((name) => !names.has(name))).toEqual([]);
    expect([...names].filter((name) => !asked.has(name))).toEqual([]);
  });

  it('of known providers look like those that have entries', () => {
    for (const { keyVariable, baseUrlVariable } of PROVIDER_DEFINITIONS) {
      if (keyVariable !== undefined) expect(keyVariable).toMatch(/^[A-Z]+_API_KEY$/);
      if (baseUrlVariable !== undefined) expect(baseUrlVariable).toMatch(/^[A-Z]+_BASE_URL$/);
    }
  });

  it('in .env.example and compose.yaml have an entry, or are for the database beside the gateway', () => {
    const example = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8');
    const documented = [...example.matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name);
    expect(documented.length).toBeGreaterThan(25);
    expect(documented.filter((name) => !names.has(name))).toEqual(['POSTGRES_PASSWORD']);
  });
});

describe('the values that the program gets', () => {
  const load = (file: object, env: Record<string, string> = {}): Configuration => {
    const folder = mkdtempSync(join(tmpdir(), 'gateway-settings-'));
    try {
      writeFileSync(join(folder, 'gateway.yaml'), stringify(file));
      return loadConfig({ env, cwd: folder });
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  it('are the defaults of the entries where nothing is set', () => {
    const config = load({});
    const plain = keys.filter(
      ({ name, facts }) =>
        /^(?:server|batch|usage|streaming)\.[^[]+$/.test(name) &&
        'default' in facts &&
        typeof facts.default !== 'object',
    );
    expect(plain.length).toBeGreaterThan(12);
    for (const { name, facts } of plain) {
      const path = name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()).split('.');
      const value = path.reduce<unknown>((object, key) => (object as Record<string, unknown>)[key], config);
      const unit = keys.find((each) => each.name === name)?.kind.schema['unit'];
      const expected =
        unit === undefined ? facts.default : unit === 'size' ? parseSize(facts.default) : parseDuration(facts.default);
      expect([name, value]).toEqual([name, expected]);
    }
  });

  it('come from the variable before the file, and from the file before the default, for each setting that has both', () => {
    const withVariable = keys.filter(({ facts }) => facts.variable !== undefined);
    expect(withVariable.map(({ name }) => name).sort()).toEqual([
      'database_url',
      'log.format',
      'log.level',
      'metrics.host',
      'metrics.port',
      'server.host',
      'server.port',
    ]);
    const file = {
      server: { host: '10.0.0.1', port: 1 },
      metrics: { host: '10.0.0.2', port: 2 },
      log: { level: 'warn', format: 'pretty' },
    };
    expect(load(file)).toMatchObject(file);
    const env = {
      HOST: '::1',
      PORT: '3',
      METRICS_HOST: '::2',
      METRICS_PORT: '4',
      LOG_LEVEL: 'error',
      LOG_FORMAT: 'json',
    };
    expect(load(file, env)).toMatchObject({
      server: { host: '::1', port: 3 },
      metrics: { host: '::2', port: 4 },
      log: { level: 'error', format: 'json' },
    });
  });

  it('keep the shortest lease, and lay the timeouts of a model over those of upstream', () => {
    const config = load({
      batch: { lease: '1ms' },
      upstream: { timeouts: { idle: '7s' } },
      models: [{ id: 'm', deployments: [{ provider: 'sandbox', model: 'echo' }], timeouts: { total: '1m' } }],
    });
    expect(config.batch.lease).toBe(1_000);
    expect(config.models[0]?.timeouts).toEqual({ connect: 5_000, firstByte: 60_000, idle: 7_000, total: 60_000 });
  });
});

it('a value of the wrong type is a fault for every key, wherever it stands', () => {
  for (const { name } of keys) {
    const steps = name.replaceAll('[]', '.0').replaceAll('<name>', 'mine').split('.');
    // No setting takes a list of nulls.
    const wrong = steps.reduceRight<unknown>((below, step) => (step === '0' ? [below] : { [step]: below }), [null]);
    const printed = steps.join('.').replaceAll('.0', '[0]');
    const paths = fileFaults(parse(stringify(wrong))).map(({ path }) => path);
    expect([name, paths.some((path) => path === printed || path === `${printed}[0]`)]).toEqual([name, true]);
  }
});
