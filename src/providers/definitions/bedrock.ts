import {
  isClaude,
  PLAIN_DIALECT,
  type Connection,
  type ConnectionInput,
  type Dialect,
  type ProviderDefinition,
} from './definition.js';
import { AWS_LOGIN_KEYS, AWS_LOGIN_VARIABLES, awsDomainOf, readAwsLogin } from './logins/aws-login.js';

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
  cloudKeys: ['region', 'access_key_id', 'secret_access_key', 'session_token', ...AWS_LOGIN_KEYS],
  variables: {
    AWS_REGION: { description: 'the region', without: '`AWS_DEFAULT_REGION`', example: 'us-east-1' },
    AWS_DEFAULT_REGION: { description: 'the region, where `AWS_REGION` is not set', example: 'us-east-1' },
    AWS_BEARER_TOKEN_BEDROCK: { description: 'an API key, in place of an access key', secret: true },
    ...AWS_LOGIN_VARIABLES,
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

function connect(input: ConnectionInput): Connection {
  const { entry, apiKey: ownKey, baseUrl, variable } = input;
  const region = entry.region ?? variable('AWS_REGION') ?? variable('AWS_DEFAULT_REGION');
  // An entry that names a login means that one.
  const namesLogin = (['access_key_id', 'secret_access_key', ...AWS_LOGIN_KEYS] as const).some(
    (key) => entry[key] !== undefined,
  );
  const apiKey = ownKey ?? (namesLogin ? undefined : variable('AWS_BEARER_TOKEN_BEDROCK'));
  const login = apiKey === undefined ? readAwsLogin(input, region ?? 'us-east-1') : { cloud: {}, faults: [] };
  return {
    apiKey,
    baseUrl: baseUrl ?? (region === undefined ? undefined : `https://bedrock-runtime.${region}.${awsDomainOf(region)}`),
    cloud: { ...(region !== undefined && { region }), ...login.cloud },
    faults: [
      ...(region === undefined
        ? [{ key: 'region', message: 'is required, such as us-east-1. Set it, or AWS_REGION' } as const]
        : []),
      ...login.faults,
    ],
  };
}
