import { fitInvokeBody, invokeEndpoint, unwrapInvokeEvent } from './claude/claude-on-bedrock.js';
import { isClaude } from './claude/is-claude.js';
import { type ChatEndpoint, type ChatEndpointCall } from './types/chat-format.js';
import { type Connection, type ConnectionInput } from './types/connection.js';
import { type ProviderDefinition } from './definition.js';
import { AWS_LOGIN_KEYS, AWS_LOGIN_VARIABLES, awsDomainOf, readAwsLogin } from './logins/aws-login.js';
import { BATCH_STORAGE_KEYS, readBatchStorage } from './storage/batch-storage.js';

/** Its type; also the name of the AWS service that requests are signed for, and of its encoding of hidden thinking. */
export const BEDROCK_TYPE = 'bedrock';

/** Amazon's models that think, and OpenAI's open models. */
const NOVA_THAT_THINKS = /nova-2/;
const OPENAI_MODEL = /(?:^|\.)openai\./;
const NOVA = /(?:^|\.)amazon\.nova/;

export const definition: ProviderDefinition = {
  name: BEDROCK_TYPE,
  title: 'Amazon Bedrock',
  documentation: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html',
  hosts: /^bedrock-runtime\..+\.amazonaws\./,
  priceId: 'aws',
  catalogueId: 'amazon-bedrock',
  telemetryName: 'aws.bedrock',
  credentials: 'aws',
  operations: { embeddings: { format: 'bedrock-invoke' }, rerank: 'bedrock-rerank' },
  // https://docs.aws.amazon.com/general/latest/gr/bedrock.html: quotas of batch inference
  batches: {
    format: 'invocation-jobs',
    endpoints: ['/converse', '/invoke'],
    url: ({ baseUrl }) => baseUrl.replace('//bedrock-runtime', '//bedrock'),
    minLines: 100,
    maxLines: 50_000,
    maxBytes: 1024 * 1024 * 1024,
  },
  cloudKeys: [
    ...['region', 'access_key_id', 'secret_access_key', 'session_token'],
    ...AWS_LOGIN_KEYS,
    ...BATCH_STORAGE_KEYS,
    'batch_role_arn',
  ] as const,
  variables: {
    AWS_REGION: { description: 'the region', without: '`AWS_DEFAULT_REGION`', example: 'us-east-1' },
    AWS_DEFAULT_REGION: { description: 'the region, where `AWS_REGION` is not set', example: 'us-east-1' },
    AWS_BEARER_TOKEN_BEDROCK: { description: 'an API key, in place of an access key', secret: true },
    ...AWS_LOGIN_VARIABLES,
  },
  connect,
  chat: {
    // Clients of the Messages API reach Claude in their own format; all other calls use one format for the models of all makers.
    wire: (upstreamModel, client) =>
      client === 'anthropic' && isClaude(upstreamModel) ? 'anthropic' : 'bedrock-converse',
    endpoint: (call) => (call.wire === 'anthropic' ? invokeEndpoint(call) : converseEndpoint(call)),
    fitBody: (body, _upstreamModel, call) => (call.wire === 'anthropic' ? fitInvokeBody(body, call) : body),
    unwrap: (event, wire) => (wire === 'anthropic' ? unwrapInvokeEvent(event) : event),
    traits: traitsOf,
  },
};

function converseEndpoint({ upstreamModel, isStream }: ChatEndpointCall): ChatEndpoint {
  const path = `/model/${encodeURIComponent(upstreamModel)}`;
  return isStream ? { path: `${path}/converse-stream`, framing: 'aws-event-stream' } : { path: `${path}/converse` };
}

/** Names of profiles and deployments are chosen by operators, so only names of models count. */
function traitsOf(upstreamModel: string): Readonly<Record<string, string | boolean>> {
  if (isClaude(upstreamModel)) return { claude: true, urlSources: false };
  return {
    cachePoints: NOVA.test(upstreamModel),
    ...(NOVA_THAT_THINKS.test(upstreamModel) && { reasoning: 'nova' }),
    ...(OPENAI_MODEL.test(upstreamModel) && { reasoning: 'effort' }),
  };
}

function connect(input: ConnectionInput): Connection {
  const { entry, apiKey: ownKey, baseUrl, variable } = input;
  const region = entry.region ?? variable('AWS_REGION') ?? variable('AWS_DEFAULT_REGION');
  // An entry that names a login means that one.
  const namesLogin = (['access_key_id', 'secret_access_key', ...AWS_LOGIN_KEYS] as const).some(
    (key) => entry[key] !== undefined,
  );
  const apiKey = ownKey ?? (namesLogin ? undefined : variable('AWS_BEARER_TOKEN_BEDROCK'));
  const batches = readBatches(entry, region ?? 'us-east-1');
  // An API key opens no bucket.
  const needsLogin = apiKey === undefined || batches.storage !== undefined;
  const login = needsLogin ? readAwsLogin(input, region ?? 'us-east-1') : { cloud: {}, faults: [] };
  return {
    apiKey,
    baseUrl: baseUrl ?? (region === undefined ? undefined : `https://bedrock-runtime.${region}.${awsDomainOf(region)}`),
    cloud: {
      ...(region !== undefined && { region }),
      ...login.cloud,
      ...(batches.storage !== undefined && { batchStorage: batches.storage }),
    },
    faults: [
      ...(region === undefined
        ? [{ key: 'region', message: 'is required, such as us-east-1. Set it, or AWS_REGION' } as const]
        : []),
      ...login.faults,
      ...batches.faults,
    ],
  };
}

/** Bedrock reads and writes the files of batches by a role, which the entry names beside their location. */
function readBatches(entry: ConnectionInput['entry'], region: string): ReturnType<typeof readBatchStorage> {
  const { batch_role_arn: roleArn, batch_location: location } = entry;
  const domain = `s3.${region}.${awsDomainOf(region)}`;
  // A certificate of AWS covers names of buckets without dots.
  const hostOf = (bucket: string): string => (bucket.includes('.') ? `${domain}/${bucket}` : `${bucket}.${domain}`);
  const { storage, faults } = readBatchStorage(entry, 's3', hostOf);
  if (location !== undefined && roleArn === undefined) {
    const message = 'is required with batch_location: the role by which Bedrock reads and writes there';
    return { storage: undefined, faults: [...faults, { key: 'batch_role_arn', message }] };
  }
  if (location === undefined && roleArn !== undefined) {
    const message = 'is used with batch_location alone. Set that too, or leave it out';
    return { storage: undefined, faults: [...faults, { key: 'batch_role_arn', message }] };
  }
  return { storage: storage && { ...storage, ...(roleArn !== undefined && { roleArn }) }, faults };
}
