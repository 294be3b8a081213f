import type { ProviderConfig } from '../../config/gateway-config.js';
import { authorizerOf } from '../credentials/authorize.js';
import { signAws } from '../credentials/aws/aws-authorize.js';
import type { ProviderDefinition } from '../definitions/definition.js';
import { OPENAI_TYPE } from '../definitions/openai.js';
import { definitionAt, definitionOfType } from '../definitions/registry.js';
import type { BatchStorage } from '../definitions/storage/batch-storage.js';
import type { BatchFormat } from '../definitions/types/batch-format.js';
import type { CloudSettings } from '../definitions/types/connection.js';
import type { ProviderOptions } from '../provider.js';
import type { BatchApi } from './batch-api.js';
import { BatchClient } from './batch-client.js';
import { ContentBatches } from './content-batches.js';
import { InvocationJobs } from './invocation-jobs.js';
import { ObjectStorage } from './object-storage.js';
import { PredictionJobs } from './prediction-jobs.js';
import { FileBatches } from './file-batches.js';
import { AnthropicMessageBatches } from './message-batches.js';

/** Batches of files with requests in OpenAI's format. */
const FILE_FORMATS: ReadonlySet<BatchFormat['format']> = new Set(['files-and-batches', 'files-and-jobs']);
/** A dated version of Azure's API has no batches at the addresses of its deployments. */
const CURRENT_VERSION = 'v1';

/** The provider's own batch API; undefined where it has none. */
export function batchApiOf(config: ProviderConfig, options: ProviderOptions): BatchApi | undefined {
  const definition = definitionOfBatches(config);
  const { batches: mode, batchMinTasks: minLines, baseUrl, cloud } = config;
  if (definition?.batches === undefined || mode === 'off') return undefined;
  if (cloud?.apiVersion !== undefined && cloud.apiVersion !== CURRENT_VERSION) return undefined;
  const format = { ...definition.batches, ...(minLines !== undefined && { minLines }) };
  const client = new BatchClient(config, authorizerOf(definition.credentials, config), options);
  const storage = cloud?.batchStorage;
  switch (format.format) {
    case 'message-batches':
      return new AnthropicMessageBatches(format, client);
    case 'content-batches':
      return new ContentBatches(format, client, baseUrl);
    case 'invocation-jobs':
    case 'prediction-jobs':
      return storage && jobsOf(format, client, { ...config, cloud, storage }, options);
    case 'files-and-batches':
    case 'files-and-jobs':
  }
  const urlOf = definition.operationUrl?.({ baseUrl, apiKey: config.apiKey, cloud });
  return new FileBatches(format, client, (path) => (urlOf === undefined ? path : withQuery(urlOf, path)));
}

/** Jobs with their files in a bucket, whose service has a signature of its own at AWS. */
function jobsOf(
  format: BatchFormat,
  client: BatchClient,
  { storage, ...config }: ProviderConfig & { readonly cloud: CloudSettings; readonly storage: BatchStorage },
  options: ProviderOptions,
): BatchApi {
  const url = (format.url ?? (() => config.baseUrl))(config);
  const isAws = storage.scheme === 's3';
  const authorize = isAws ? signAws(config.cloud, 's3') : authorizerOf('google-cloud', config);
  // The operator's own headers are for the provider's API.
  const objects = new ObjectStorage(storage, new BatchClient({ ...config, headers: {} }, authorize, options));
  if (format.format === 'prediction-jobs') return new PredictionJobs(format, client, objects, url);
  return new InvocationJobs(format, client, objects, { baseUrl: url, roleArn: storage.roleArn ?? '' });
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
