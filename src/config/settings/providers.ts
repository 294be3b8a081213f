import { group, list, map, section } from './composites.js';
import { choice, flag, integer, text } from './kinds.js';
import { setting, type KindFile } from './setting.js';
import {
  COMPLETIONS_MODES,
  RESPONSES_MODES,
  SERVER_RERANK_FORMATS,
} from '../../providers/definitions/types/operation-formats.js';
import { BATCH_MODES } from '../../providers/definitions/types/batch-format.js';
import { OPENAI_TYPE } from '../../providers/definitions/openai.js';
import {
  EMBEDDINGS_NAMES,
  FIELD_RULE_NAMES,
  LOCAL_SERVERS,
  PROVIDER_TYPES,
  PROVIDER_DEFINITIONS,
} from '../../providers/definitions/registry.js';

/** Names of entries whose provider is reached in its own format unless `type` says otherwise. */
const OWN_FORMAT_NAMES = PROVIDER_DEFINITIONS.filter(
  ({ chat, compatible, connect }) => chat !== undefined || (compatible !== undefined && connect !== undefined),
).map(({ name }) => `\`${name}\``);

/** A part of an address: no dots, slashes or other characters that could lead to another host. */
const CLOUD_NAME = text({
  pattern: [
    '^[A-Za-z0-9][A-Za-z0-9-]*$',
    'takes letters, digits and dashes alone, and begins with one of the first two',
  ],
  form: 'letters, digits and dashes',
});

/** A part of the address of the token endpoint. */
const TENANT = text({
  pattern: ['^[A-Za-z0-9][A-Za-z0-9.-]*$', 'must be the id or a domain name of a tenant'],
  form: 'id or domain name',
});

const QUIRKS = section(
  '`openai`: where the server differs from OpenAI. Known for the providers that have a name here.',
  {
    token_limit: setting(choice(['max_tokens', 'max_completion_tokens']), {
      description: 'The only name of the token limit that the server honors. The other name is sent under it.',
      without: 'what is known of the server, else both names',
    }),
    developer_role: setting(flag(), {
      description: 'Whether the server knows the role `developer`. If not, it is sent as `system`.',
      without: 'what is known of the server, else `true`',
    }),
    stream_options: setting(flag(), {
      description: 'Whether the server accepts `stream_options`. If not, it must report usage in streams by itself.',
      without: 'what is known of the server, else `true`',
    }),
    accepts: setting(choice(['any', ...FIELD_RULE_NAMES]), {
      description:
        'Whose request and message fields the server accepts. Other fields are not sent, and `x-gateway-dropped-params` names them.',
      without: 'what is known of the server, else `any`',
    }),
    embeddings: setting(choice(EMBEDDINGS_NAMES), {
      description:
        "The format of the server's embeddings. `ollama` is Ollama's own `/api/embed`, beside `/v1` and not below it.",
      without: 'what is known of the server, else `openai`',
    }),
    rerank: setting(choice(SERVER_RERANK_FORMATS.map((format) => format.replace(/-rerank$/, ''))), {
      description:
        "The format of the server's reranking. `jina` is also that of vLLM; `tei` is that of Text Embeddings Inference, whose `/rerank` is beside `/v1` and not below it.",
      without: 'what is known of the server, else `jina`',
    }),
  },
);

const ROLE_ARN = text({
  pattern: ['^arn:[\\w-]+:iam::\\d{12}:role/\\S+$', 'must be the ARN of a role'],
  form: 'ARN',
});

const PROVIDER = group({
  type: setting(choice([OPENAI_TYPE, ...PROVIDER_TYPES]), {
    description:
      "The provider's format. `openai` is any server with OpenAI's format; the others are the provider's own.",
    without: `follows from the name of the entry, where that is one of ${OWN_FORMAT_NAMES.join(', ')}; else \`${OPENAI_TYPE}\``,
  }),
  base_url: setting(text({ form: 'URL' }), {
    description: "The server's address, with `/v1` where it has that.",
    without:
      'known for providers such as openai, groq or mistral, where a variable such as `OPENAI_BASE_URL` may move it, and for local servers; else required',
    example: 'http://127.0.0.1:11434/v1',
  }),
  api_key: setting(text(), {
    description: "The provider's key.",
    without: "the provider's variable; without that, requests carry no key, where the type allows it",
    example: '${OPENAI_API_KEY}',
    secret: true,
  }),
  api_keys: setting(list(text({ minLength: 1 }), { minItems: 1 }), {
    description:
      'Several keys of the provider, in place of `api_key`. Calls are divided between them. Each is a deployment of its own: one whose account has no quota left, or whose rate limit is reached, pauses while the others serve.',
    without: 'one key',
    example: ['${OPENAI_API_KEY}', '${OPENAI_API_KEY_2}'],
    secret: true,
  }),
  region: setting(CLOUD_NAME, {
    description: '`bedrock`: the AWS region. `vertex`: the location.',
    without: '`AWS_REGION`, or `GOOGLE_VERTEX_LOCATION` and then `global`',
    example: 'us-east-1',
  }),
  project: setting(CLOUD_NAME, {
    description: '`vertex`: the Google Cloud project.',
    without: '`GOOGLE_VERTEX_PROJECT` or `GOOGLE_CLOUD_PROJECT`, or the project of the credentials',
    example: 'my-project',
  }),
  credentials_file: setting(text({ minLength: 1, form: 'path' }), {
    description:
      '`vertex`: path of a credentials file: a service account, a user of gcloud, or workload identity federation.',
    without: "`GOOGLE_APPLICATION_CREDENTIALS`, or the machine's own login",
    example: '/run/secrets/vertex.json',
  }),
  resource_name: setting(CLOUD_NAME, {
    description: '`azure`: the name of the resource, in place of `base_url`.',
    without: '`AZURE_RESOURCE_NAME`',
    example: 'my-resource',
  }),
  api_version: setting(CLOUD_NAME, {
    description: "`azure`: the API version. A dated version uses the deployments' addresses.",
    without: '`v1`',
    example: '2024-10-21',
  }),
  access_key_id: setting(text({ minLength: 1 }), {
    description: '`bedrock`: the access key id, where there is no `api_key`.',
    without: "`AWS_ACCESS_KEY_ID`, or another of [AWS's logins](providers.md#aws)",
    secret: true,
  }),
  secret_access_key: setting(text({ minLength: 1 }), {
    description: '`bedrock`: the secret of the access key.',
    without: '`AWS_SECRET_ACCESS_KEY`',
    secret: true,
  }),
  session_token: setting(text({ minLength: 1 }), {
    description: '`bedrock`: the session token of a temporary access key.',
    without: '`AWS_SESSION_TOKEN`, where the access key comes from the environment too',
    secret: true,
  }),
  profile: setting(text({ minLength: 1 }), {
    description: "`bedrock`: a profile of AWS's shared configuration and credentials files.",
    without: '`AWS_PROFILE`',
    example: 'production',
  }),
  role_arn: setting(ROLE_ARN, {
    description:
      '`bedrock`: the IAM role to assume, by `web_identity_token_file` where that is set, otherwise with the other credentials.',
    without: '`AWS_ROLE_ARN`, with a web identity alone',
    example: 'arn:aws:iam::123456789012:role/bedrock',
  }),
  web_identity_token_file: setting(text({ minLength: 1, form: 'path' }), {
    description: '`bedrock`: path of a token of an identity provider, which is read at each login.',
    without: '`AWS_WEB_IDENTITY_TOKEN_FILE`',
    example: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token',
  }),
  tenant_id: setting(TENANT, {
    description: 'Azure: the tenant in which the application is registered, where there is no `api_key`.',
    without: '`AZURE_TENANT_ID`',
    example: '00000000-0000-0000-0000-000000000000',
  }),
  client_id: setting(text({ minLength: 1 }), {
    description: 'Azure: the id of the application.',
    without: '`AZURE_CLIENT_ID`',
    example: '00000000-0000-0000-0000-000000000000',
  }),
  client_secret: setting(text({ minLength: 1 }), {
    description: 'Azure: a secret of the application.',
    without: '`AZURE_CLIENT_SECRET`',
    example: '${AZURE_CLIENT_SECRET}',
    secret: true,
  }),
  client_certificate_file: setting(text({ minLength: 1, form: 'path' }), {
    description: "Azure: path of a PEM file with the application's certificate and its RSA private key.",
    without: '`AZURE_CLIENT_CERTIFICATE_PATH`',
    example: '/run/secrets/azure.pem',
  }),
  federated_token_file: setting(text({ minLength: 1, form: 'path' }), {
    description:
      'Azure: path of a token of another identity provider (workload identity), which is read at each login.',
    without: '`AZURE_FEDERATED_TOKEN_FILE`',
    example: '/var/run/secrets/azure/tokens/azure-identity-token',
  }),
  managed_identity: setting(text({ minLength: 1, form: '`system` or a client id' }), {
    description: "Azure: the managed identity of the machine: `system`, or a user-assigned identity's client id.",
    without: 'that of the platform, where `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` are set',
    example: 'system',
  }),
  token_scope: setting(text({ pattern: ['^\\S+$', 'must not have white space'] }), {
    description: 'Azure: what tokens of Microsoft Entra ID are for.',
    without: '`https://cognitiveservices.azure.com/.default`',
    example: 'https://ai.azure.com/.default',
  }),
  headers: setting(map(text()), {
    description: 'Headers that are sent with every request to this provider.',
    default: {},
    example: { 'OpenAI-Organization': 'org-1' },
  }),
  list_models: setting(flag(), {
    description: "Whether `GET /v1/models` shows the provider's own model list.",
    default: true,
  }),
  responses: setting(choice(RESPONSES_MODES), {
    description:
      "OpenAI's format: which requests go to the server's Responses API. `native`: those that came by it, unchanged. `all`: every request, for models that have no other API. `off`: none; they are translated.",
    without: '`native` for OpenAI and Azure; else `off`',
  }),
  completions: setting(choice(COMPLETIONS_MODES), {
    description:
      "OpenAI's format: which requests of `POST /v1/completions` go to the server's own completions API, unchanged. `auto`: those that no chat can take, such as with `echo` or `suffix`. `native`: all, for models that do not chat. `off`: none.",
    default: 'auto',
  }),
  batches: setting(choice(BATCH_MODES), {
    description:
      "Whether batches may use the provider's own batch API, see [batches](batches.md#price-tiers). `native`: it has one; a server with OpenAI's format has that of OpenAI. `off`: not to be used.",
    without:
      '`native` for OpenAI, Azure, Groq, Mistral, Anthropic and Gemini, and for Bedrock and Vertex AI with `batch_location`; else `off`',
  }),
  batch_location: setting(text({ form: '`s3://` or `gs://` address' }), {
    description:
      "`bedrock` and `vertex`: the bucket, or a folder in it, for the files of the provider's batches. The provider's batch API is used only with it, see [batches](batches.md#batch-apis).",
    without: 'no batch API',
    example: 's3://my-bucket/batches',
  }),
  batch_role_arn: setting(ROLE_ARN, {
    description: '`bedrock`: the IAM role by which Bedrock reads and writes at `batch_location`.',
    without: 'required with `batch_location`',
    example: 'arn:aws:iam::123456789012:role/bedrock-batches',
  }),
  batch_storage_endpoint: setting(text({ form: 'URL' }), {
    description:
      'Address of the storage of `batch_location`, such as a private endpoint. The bucket is the first part of the path.',
    without: "that of S3 in the entry's region, or of Google Cloud Storage",
    example: 'https://bucket.vpce-0a1b2c3d.s3.us-east-1.vpce.amazonaws.com',
  }),
  batch_min_tasks: setting(integer({ minimum: 1, maximum: 50_000, of: 'tasks' }), {
    description:
      "Smallest number of tasks in one batch of the provider's batch API. Fewer go on to the next price tier.",
    without: '100 for Bedrock, which refuses smaller ones; else 1',
    example: 20,
  }),
  quirks: QUIRKS,
});

export const PROVIDERS = setting(
  map(PROVIDER, {
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
    patternErrorMessage: 'a provider name takes letters, digits, dots, dashes and underscores, and no slash',
  }),
  { description: 'Where models run, by names that you choose.', default: {} },
);

export const SANDBOX = setting(flag(), {
  description: 'Whether the built-in sandbox provider responds.',
  without: 'only when no other provider is configured',
});

export const DISCOVER = setting(flag(), {
  description: `Whether the gateway looks for ${listOf(LOCAL_SERVERS.map(({ title }) => title))} at their usual ports on this machine. Their models are then ${listOf(LOCAL_SERVERS.map(({ name }) => `\`${name}/...\``))}.`,
  default: false,
});

export type ProviderFile = KindFile<typeof PROVIDER>;

/** `a, b and c`. */
function listOf(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), ...words.slice(-1)].join(' and ');
}
