import type { ProviderConfig } from '../../config/gateway-config.js';
import { authorizerOf } from '../credentials/authorize.js';
import type { ProviderDefinition } from '../definitions/definition.js';
import { OPENAI_TYPE } from '../definitions/openai.js';
import { definitionAt, definitionOfType } from '../definitions/registry.js';
import type { BatchFormat } from '../definitions/types/batch-format.js';
import type { ProviderOptions } from '../provider.js';
import type { BatchApi } from './batch-api.js';
import { BatchClient } from './batch-client.js';
import { ContentBatches } from './content-batches.js';
import { FileBatches } from './file-batches.js';
import { AnthropicMessageBatches } from './message-batches.js';

/** Batches of files with requests in OpenAI's format. */
const FILE_FORMATS: ReadonlySet<BatchFormat['format']> = new Set(['files-and-batches', 'files-and-jobs']);
/** A dated version of Azure's API has no batches at the addresses of its deployments. */
const CURRENT_VERSION = 'v1';

/** The provider's own batch API; undefined where it has none. */
export function batchApiOf(config: ProviderConfig, options: ProviderOptions): BatchApi | undefined {
  const definition = definitionOfBatches(config);
  const { batches: mode, baseUrl, cloud } = config;
  if (definition?.batches === undefined || mode === 'off') return undefined;
  if (cloud?.apiVersion !== undefined && cloud.apiVersion !== CURRENT_VERSION) return undefined;
  const client = new BatchClient(config, authorizerOf(definition.credentials, config), options);
  switch (definition.batches.format) {
    case 'message-batches':
      return new AnthropicMessageBatches(definition.batches, client);
    case 'content-batches':
      return new ContentBatches(definition.batches, client, baseUrl);
    case 'files-and-batches':
    case 'files-and-jobs':
  }
  const urlOf = definition.operationUrl?.({ baseUrl, apiKey: config.apiKey, cloud });
  return new FileBatches(definition.batches, client, (path) => (urlOf === undefined ? path : withQuery(urlOf, path)));
}

/**
 * A server of OpenAI's format at an unknown address has OpenAI's batches where the entry says so. Requests in that format are no
 * lines of the batches that a provider has beside it in its own format.
 */
function definitionOfBatches({ type, baseUrl, batches }: ProviderConfig): ProviderDefinition | undefined {
  if (type !== OPENAI_TYPE) return definitionOfType(type);
  const known = definitionAt(baseUrl);
  if (known === undefined) return batches === 'native' ? definitionOfType(OPENAI_TYPE) : undefined;
  return known.batches !== undefined && FILE_FORMATS.has(known.batches.format) ? known : undefined;
}

/** Adds the query of a path to that of the address. */
function withQuery(urlOf: (path: string, upstreamModel: string) => string, path: string): string {
  const [plain = '', query] = path.split('?');
  const url = new URL(urlOf(plain, ''));
  for (const [name, value] of new URLSearchParams(query)) url.searchParams.set(name, value);
  return url.href;
}
