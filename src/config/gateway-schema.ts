import { GATEWAY_FILE } from './settings/gateway-file.js';
import type { JsonSchema } from './settings/setting.js';

/**
 * The JSON Schema of gateway.yaml: the gateway validates with it, and editor-schema.ts makes gateway.schema.json of it.
 * References between parts of the file (a deployment's provider, a fallback's model) are checked by load-config.ts.
 */
export const GATEWAY_SCHEMA: JsonSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'LLM Gateway configuration',
  ...GATEWAY_FILE.schema,
};
