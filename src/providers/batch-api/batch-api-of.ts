import type { ProviderConfig } from '../../config/gateway-config.js';
import type { ProviderDefinition } from '../definitions/definition.js';
import { OPENAI_TYPE } from '../definitions/openai.js';
import { definitionAt, definitionOfType } from '../definitions/registry.js';
import type { ProviderOptions } from '../provider.js';
import type { BatchApi } from './batch-api.js';
import { BatchClient } from './batch-client.js';
import { FileBatches } from './file-batches.js';
import { AnthropicMessageBatches } from './message-batches.js';

/** A dated version of Azure's API has no batches at the addresses of its deployments. */
const CURRENT_VERSION = 'v1';

/** The provider's own batch API; undefined where it has none. */
export function batchApiOf(config: ProviderConfig, options: ProviderOptions): BatchApi | undefined {
  const definition = definitionOfBatches(config);
  const { batches: mode, baseUrl, cloud } = config;
  if (definition?.batches === undefined || mode === 'off') return undefined;
  if (cloud?.apiVersion !== undefined && cloud.apiVersion !== CURRENT_VERSION) return undefined;
  const client = new BatchClient(definition, config, options);
  if (definition.batches.format === 'message-batches') return new AnthropicMessageBatches(definition.batches, client);
  const urlOf = definition.operationUrl?.({ baseUrl, apiKey: config.apiKey, cloud });
  return new FileBatches(definition.batches, client, (path) => (urlOf === undefined ? path : withQuery(urlOf, path)));
}

/** A server of OpenAI's format at an unknown address has OpenAI's batches where the entry says so. */
function definitionOfBatches({ type, baseUrl, batches }: ProviderConfig): ProviderDefinition | undefined {
  if (type !== OPENAI_TYPE) return definitionOfType(type);
  return definitionAt(baseUrl) ?? (batches === 'native' ? definitionOfType(OPENAI_TYPE) : undefined);
}

/** Adds the query of a path to that of the address. */
function withQuery(urlOf: (path: string, upstreamModel: string) => string, path: string): string {
  const [plain = '', query] = path.split('?');
  const url = new URL(urlOf(plain, ''));
  for (const [name, value] of new URLSearchParams(query)) url.searchParams.set(name, value);
  return url.href;
}
