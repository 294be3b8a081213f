import {
  isClaude,
  PLAIN_DIALECT,
  type Connection,
  type ConnectionInput,
  type Dialect,
  type ProviderDefinition,
} from './definition.js';

/** Its type; also the name of the AWS service that requests are signed for, and of its encoding of hidden thinking. */
export const BEDROCK_TYPE = 'bedrock';

const DIALECT: Dialect = {
  ...PLAIN_DIALECT,
  namespace: BEDROCK_TYPE,
  systemAnywhere: false,
  earlierReasoning: 'signed',
  jsonObject: 'instruction',
  cacheHints: 'cache-point',
  reasoning: 'reasoning-config',
  renamed: { service_tier: 'serviceTier' },
};

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
  cloudKeys: ['region', 'access_key_id', 'secret_access_key', 'session_token'],
  variables: {
    AWS_REGION: { description: 'the region', without: '`AWS_DEFAULT_REGION`', example: 'us-east-1' },
    AWS_DEFAULT_REGION: { description: 'the region, where `AWS_REGION` is not set', example: 'us-east-1' },
    AWS_BEARER_TOKEN_BEDROCK: { description: 'an API key, in place of an access key', secret: true },
    AWS_ACCESS_KEY_ID: { description: 'the id of the access key', secret: true },
    AWS_SECRET_ACCESS_KEY: { description: 'the secret of the access key', secret: true },
    AWS_SESSION_TOKEN: { description: 'the session token of a temporary access key', secret: true },
  },
  connect,
  native: {
    // Bedrock runs models of several makers, so the model decides as well.
    dialect: (modelId) => (isClaude(modelId) ? { ...DIALECT, claude: true } : DIALECT),
    // Signed with access keys, or with a bearer key where there is one.
    load: async (settings, { region = 'us-east-1', accessKeyId = '', secretAccessKey = '', sessionToken }) => {
      const { createAmazonBedrock } = await import('@ai-sdk/amazon-bedrock');
      const provider = createAmazonBedrock({
        ...settings,
        region,
        accessKeyId,
        secretAccessKey,
        ...(sessionToken !== undefined && { sessionToken }),
      });
      return (modelId) => provider.languageModel(modelId);
    },
  },
};

function connect({ entry, apiKey: ownKey, baseUrl, variable }: ConnectionInput): Connection {
  const faults: Connection['faults'][number][] = [];
  const region = entry.region ?? variable('AWS_REGION') ?? variable('AWS_DEFAULT_REGION');
  const namesKeys = entry.access_key_id !== undefined || entry.secret_access_key !== undefined;
  const apiKey = ownKey ?? (namesKeys ? undefined : variable('AWS_BEARER_TOKEN_BEDROCK'));
  const accessKeyId = entry.access_key_id ?? variable('AWS_ACCESS_KEY_ID');
  const secretAccessKey = entry.secret_access_key ?? variable('AWS_SECRET_ACCESS_KEY');
  // A session token belongs to the keys that it came with.
  const sessionToken = entry.session_token ?? (namesKeys ? undefined : variable('AWS_SESSION_TOKEN'));
  if (region === undefined) {
    faults.push({ key: 'region', message: 'is required, such as us-east-1. Set it, or AWS_REGION' });
  }
  if (apiKey === undefined && (accessKeyId === undefined || secretAccessKey === undefined)) {
    faults.push({
      key: 'api_key',
      message:
        'is required, or access_key_id and secret_access_key. They may also come from AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    });
  }
  const suffix = region?.startsWith('cn-') === true ? 'amazonaws.com.cn' : 'amazonaws.com';
  return {
    apiKey,
    baseUrl: baseUrl ?? (region === undefined ? undefined : `https://bedrock-runtime.${region}.${suffix}`),
    cloud: {
      ...(region !== undefined && { region }),
      ...(apiKey === undefined &&
        accessKeyId !== undefined &&
        secretAccessKey !== undefined && {
          accessKeyId,
          secretAccessKey,
          ...(sessionToken !== undefined && { sessionToken }),
        }),
    },
    faults,
  };
}
