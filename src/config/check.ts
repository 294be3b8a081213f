import { writeFileSync } from 'node:fs';
import { ConfigError } from './config-error.js';
import { GATEWAY_SCHEMA } from './gateway-schema.js';
import { loadConfig } from './load-config.js';
import { describeConfig } from './describe-config.js';

/**
 * `npm run config:check [-- file]`: says what a configuration means, or every fault of it, without starting.
 * `npm run config:schema` writes the JSON Schema that ships with the project.
 */
const argument = process.argv[2];
if (argument === '--write-schema') {
  writeFileSync('gateway.schema.json', `${JSON.stringify(GATEWAY_SCHEMA, null, 2)}\n`);
} else {
  try {
    const config = loadConfig(argument === undefined ? {} : { env: { ...process.env, GATEWAY_CONFIG: argument } });
    process.stdout.write(`${describeConfig(config)}\n`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
