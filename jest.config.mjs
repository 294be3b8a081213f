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
  'chat-route',
  'freeze-watch',
  'native-providers',
  'openai-client',
  'openapi-document',
  'openapi-examples',
  'other-clients',
  'process-lifecycle',
  'provider-options',
  'resilience',
  'streaming',
  'upstream-faults',
];
const isPostgresRun = process.env['TEST_DATABASE'] === 'postgres';

export default {
  // Only ends a test that would never end; bounds of time are asserted by the tests themselves.
  testTimeout: 180_000,
  // Two cores: each e2e file runs processes of its own.
  maxWorkers: 2,
  projects: [
    { ...base, displayName: 'unit', roots: ['<rootDir>/src', '<rootDir>/scripts'], testMatch: ['**/*.spec.ts'] },
    {
      ...base,
      displayName: 'e2e',
      roots: ['<rootDir>/test'],
      testMatch: ['**/*.e2e-spec.ts'],
      testPathIgnorePatterns: isPostgresRun ? WITHOUT_DATABASE.map((name) => `/${name}\\.e2e-spec`) : [],
      globalSetup: '<rootDir>/test/fixtures/global-setup.mjs',
      setupFilesAfterEnv: ['<rootDir>/test/clients/check-responses.ts'],
      globalTeardown: '<rootDir>/test/fixtures/global-teardown.mjs',
    },
  ],
};
