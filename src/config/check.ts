import { readFileSync, writeFileSync } from 'node:fs';
import { ConfigError } from './config-error.js';
import { describeConfig } from './describe-config.js';
import { schemaDocument, withSettingsTables } from './documents.js';
import { loadWithSources } from './load-config.js';

const PAGE = 'docs/configuration.md';

/**
 * `npm run config:check [-- file]` prints what a configuration means, or all of its faults, without starting.
 * `npm run config:schema` writes gateway.schema.json and the tables of docs/configuration.md.
 */
const argument = process.argv[2];
if (argument === '--write-schema') {
  writeFileSync('gateway.schema.json', schemaDocument());
  writeFileSync(PAGE, withSettingsTables(readFileSync(PAGE, 'utf8')));
} else {
  try {
    const { config, changed } = loadWithSources(
      argument === undefined ? {} : { env: { ...process.env, GATEWAY_CONFIG: argument } },
    );
    process.stdout.write(`${describeConfig(config, changed)}\n`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
