/** Unit tests stand beside the code; what crosses a process stands in test/ and runs against the built application. */
const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2023',
        },
        module: { type: 'es6' },
      },
    ],
  },
};

/** Suites in which no database has a part: they run once, with SQLite. */
const WITHOUT_DATABASE = [
  'batch-command',
  'cloud-logins',
  'completions',
  'deployment-health',
  'fast-path',
  'file-storage',
  'freeze-watch',
  'gemini',
  'json-operations',
  'media',
  'http-contract',
  'log-canary',
  'log-output',
  'logs',
  'native-bytes',
  'native-providers',
  'new-provider',
  'anthropic-client',
  'call-chaos',
  'openai-client',
  'openai-helpers',
  'openapi-document',
  'openapi-fields',
  'openapi-examples',
  'other-clients',
  'private-files',
  'process-lifecycle',
  'provider-options',
  'provider-errors',
  'provider-recordings',
  'provider-shapes',
  'python-clients',
  'resilience',
  'silent-streams',
  'stream-cuts',
  'stream-recovery',
  'streaming',
  'token-log',
  'traces',
  'upstream-faults',
];
/** Suites on what PostgreSQL or Redis do. */
const WITHOUT_SQLITE = ['database-outage', 'frozen-postgres', 'redis-topologies'];
/** Suites in a browser: `npm run test:console` alone runs them. */
const IN_BROWSER = ['console'];
const filesOf = (names) => names.map((name) => `/${name}\\.e2e-spec`);

const e2e = {
  ...base,
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.e2e-spec.ts'],
  setupFilesAfterEnv: ['<rootDir>/test/clients/check-responses.ts'],
  globalTeardown: '<rootDir>/test/fixtures/global-teardown.mjs',
};
const inBrowser = {
  ...e2e,
  displayName: 'console',
  globalSetup: '<rootDir>/test/fixtures/global-setup.mjs',
  testMatch: IN_BROWSER.map((name) => `**/${name}.e2e-spec.ts`),
};
const onSqlite = {
  ...e2e,
  globalSetup: '<rootDir>/test/fixtures/global-setup.mjs',
  testPathIgnorePatterns: filesOf([...WITHOUT_SQLITE, ...IN_BROWSER]),
};
/** With Redis as well where a suite uses one. */
const onPostgres = {
  ...e2e,
  setupFiles: ['<rootDir>/test/fixtures/on-postgres.mjs'],
  globalSetup: '<rootDir>/test/fixtures/global-setup-postgres.mjs',
  // The long form of a run on purpose is for either database.
  testPathIgnorePatterns: filesOf([
    ...WITHOUT_DATABASE.filter((name) => name !== 'call-chaos' || process.env['CHAOS'] !== 'long'),
    ...IN_BROWSER,
  ]),
};

export default {
  // Only ends a test that would never end; bounds of time are asserted by the tests themselves.
  testTimeout: 600_000,
  // Each e2e file runs processes of its own.
  maxWorkers: 2,
  testSequencer: '<rootDir>/test/fixtures/longest-first.mjs',
  projects: [
    {
      ...base,
      displayName: 'unit',
      roots: ['<rootDir>/src', '<rootDir>/scripts', '<rootDir>/test'],
      testMatch: ['**/*.spec.ts'],
    },
    { ...(process.env['TEST_DATABASE'] === 'postgres' ? onPostgres : onSqlite), displayName: 'e2e' },
    { ...onPostgres, displayName: 'e2e-postgres' },
    inBrowser,
  ],
};
