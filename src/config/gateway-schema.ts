import { MAX_TOKENS } from '../runtime/token-count.js';
import { ACCEPTED_FIELDS, NATIVE_PROVIDER_TYPES } from './gateway-config.js';

/** US dollars for a million tokens: a thousand dollars a token, far more than any model costs. */
const HIGHEST_PRICE = 1_000_000_000;

/** What becomes part of an address: no dots, slashes or anything else that would lead elsewhere. */
const CLOUD_NAME = '^[A-Za-z0-9][A-Za-z0-9-]*$';

/** Durations are `500ms`, `5s`, `10m`, `2h`, `30d`, or 0; sizes `512KB`, `32MB`, `1GB` in binary multiples. */
function duration(description: string, value: string) {
  return {
    type: ['string', 'integer'],
    unit: 'duration',
    description: `${description} A duration: 500ms, 5s, 10m, 2h, 30d.`,
    default: value,
  };
}

function timeout(description: string, value: string) {
  return { ...duration(description, value), unit: 'timeout' };
}

function size(description: string, value: string) {
  return {
    type: ['string', 'integer'],
    unit: 'size',
    description: `${description} A size: 512KB, 32MB, 1GB (binary multiples).`,
    default: value,
  };
}

const timeouts = {
  type: 'object',
  description: 'Limits of one call to a provider, phase by phase.',
  additionalProperties: false,
  properties: {
    connect: timeout('TCP and TLS connect.', '5s'),
    first_byte: timeout(
      'Of streams: longest silence before the first event. Comments of the provider count as life.',
      '60s',
    ),
    idle: timeout('Of streams: longest silence between two reads.', '90s'),
    total: timeout('The whole call. The only time of an answer that is not streamed, beside connect.', '10m'),
  },
};

/**
 * The JSON Schema of gateway.yaml: what the gateway validates with, and what ships as gateway.schema.json for editors.
 * References between parts of the file (a deployment's provider, a fallback's model) are checked by load-config.ts.
 */
export const GATEWAY_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'LLM Gateway configuration',
  description: 'gateway.yaml. ${NAME} and ${NAME:-default} stand for environment variables.',
  type: 'object',
  additionalProperties: false,
  properties: {
    server: {
      type: 'object',
      description: 'The listener.',
      additionalProperties: false,
      properties: {
        host: { type: 'string', minLength: 1, description: 'Address to listen on. HOST wins.', default: '127.0.0.1' },
        port: {
          type: 'integer',
          minimum: 0,
          maximum: 65535,
          description: 'PORT wins. 0 picks a free one.',
          default: 3000,
        },
        cors_origins: {
          type: 'array',
          items: { type: 'string', minLength: 1 },
          description: 'Origins whose pages may call the API, or "*". Empty is off.',
          default: [],
        },
        swagger: { type: 'boolean', description: 'Whether /docs and /docs-json are served.', default: true },
        drain_timeout: duration('Longest wait for open requests at SIGTERM.', '25s'),
        max_body_size: size('Largest request body of the model endpoints.', '50MB'),
      },
    },
    database_url: {
      type: 'string',
      description: 'sqlite:<path>, sqlite::memory: or postgres://user:password@host/database. DATABASE_URL wins.',
      default: 'sqlite:./data/gateway.sqlite',
    },
    log: {
      type: 'object',
      description: 'What goes to standard output.',
      additionalProperties: false,
      properties: {
        level: {
          enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
          description: 'LOG_LEVEL wins.',
          default: 'info',
        },
        format: {
          enum: ['pretty', 'json'],
          description: 'LOG_FORMAT wins. The default is pretty on a terminal and json elsewhere.',
        },
      },
    },
    metrics: {
      type: 'object',
      description: 'A port on which /metrics is served without a key, for a network that clients do not reach.',
      additionalProperties: false,
      properties: {
        host: {
          type: 'string',
          minLength: 1,
          description: 'Address of that port. METRICS_HOST wins.',
          default: '127.0.0.1',
        },
        port: {
          type: 'integer',
          minimum: 0,
          maximum: 65535,
          description: 'METRICS_PORT wins. Without it, /metrics is served to admin keys alone. 0 picks a free one.',
        },
      },
    },
    streaming: {
      type: 'object',
      description: 'Server-sent events to clients.',
      additionalProperties: false,
      properties: {
        keep_alive: duration('Silence in a stream before a comment is sent; 0 is off.', '15s'),
      },
    },
    upstream: {
      type: 'object',
      description: 'Calls to providers.',
      additionalProperties: false,
      properties: {
        max_answer_size: size('Cap of one answer, or of one event of a stream, decompressed.', '32MB'),
        timeouts,
      },
    },
    batch: {
      type: 'object',
      description: 'Batches and the workers that run them.',
      additionalProperties: false,
      properties: {
        concurrency: {
          type: 'integer',
          minimum: 1,
          maximum: 1000,
          description: 'Tasks that one process runs at once, before a provider says that it is too much.',
          default: 32,
        },
        max_tasks: { type: 'integer', minimum: 1, description: 'Most tasks of one batch.', default: 50000 },
        max_body_size: size('Largest body of a submission, decompressed.', '200MB'),
        max_attempts: {
          type: 'integer',
          minimum: 1,
          maximum: 100,
          description: 'Calls to the provider that a task gets at most.',
          default: 5,
        },
        lease: timeout(
          'How long a claimed task stays with a process that shows no sign of life; at least 1s. The same in all processes.',
          '60s',
        ),
        retention: timeout('How long finished batches and their results are kept.', '30d'),
      },
    },
    alerts: {
      type: 'object',
      additionalProperties: false,
      description: 'Who is notified when a budget has been spent up to one of its thresholds, or is exhausted.',
      properties: {
        webhook_url: { type: 'string', description: 'Where events about budgets are posted to.' },
        webhook_secret: {
          type: 'string',
          pattern: '^whsec_[A-Za-z0-9+/]{32,}={0,2}$',
          description:
            'What it is signed with: whsec_ and at least 24 bytes in base64. Not needed with webhook_format slack.',
        },
        webhook_format: {
          enum: ['events', 'slack'],
          default: 'events',
          description:
            'events posts the signed event; slack posts {"text": ...}, which incoming webhooks of Slack take.',
        },
      },
    },
    usage: {
      type: 'object',
      additionalProperties: false,
      description: 'Usage records.',
      properties: {
        retention: timeout('How long they are kept; at least as long as the longest budget period.', '400d'),
      },
    },
    sandbox: {
      type: 'boolean',
      description:
        'Whether the built-in sandbox provider answers. By default only when no other provider is configured.',
    },
    expose: {
      enum: ['all', 'listed'],
      description: 'all: every model is also reachable as provider/model. listed: only the ids under models.',
      default: 'all',
    },
    discover: {
      type: 'boolean',
      description:
        'Whether Ollama, vLLM, llama.cpp and LM Studio are looked for at their usual ports on this machine. Those that answer show their models as ollama/..., vllm/..., llamacpp/... and lmstudio/...',
      default: false,
    },
    providers: {
      type: 'object',
      description: 'Where models run, by the name that you give them.',
      propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$' },
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        properties: {
          type: {
            enum: ['openai', ...NATIVE_PROVIDER_TYPES],
            description:
              "openai: any server that speaks OpenAI's format. The others speak the provider's own. The default follows from the name where that is known (anthropic, gemini, vertex, bedrock, azure, cohere, perplexity), else openai.",
          },
          base_url: {
            type: 'string',
            description: 'Including /v1 where the server has it. Known for providers such as openai, groq or mistral.',
            examples: ['http://127.0.0.1:11434/v1'],
          },
          api_key: { type: 'string', description: "The provider's key; leave it out where none is needed." },
          region: {
            type: 'string',
            pattern: CLOUD_NAME,
            description: 'bedrock: the AWS region (else AWS_REGION). vertex: the location, global by default.',
          },
          project: {
            type: 'string',
            pattern: CLOUD_NAME,
            description: 'vertex: the Google Cloud project (else GOOGLE_VERTEX_PROJECT or GOOGLE_CLOUD_PROJECT).',
          },
          credentials_file: {
            type: 'string',
            minLength: 1,
            description:
              "vertex: path of a service account's key file (else GOOGLE_APPLICATION_CREDENTIALS, or what the machine is logged in as).",
          },
          resource_name: {
            type: 'string',
            pattern: CLOUD_NAME,
            description: 'azure: the name of the resource (else AZURE_RESOURCE_NAME), in place of base_url.',
          },
          api_version: {
            type: 'string',
            pattern: CLOUD_NAME,
            description: "azure: v1 by default; a dated version uses the deployments' addresses.",
          },
          access_key_id: { type: 'string', minLength: 1, description: 'bedrock: else AWS_ACCESS_KEY_ID.' },
          secret_access_key: { type: 'string', minLength: 1, description: 'bedrock: else AWS_SECRET_ACCESS_KEY.' },
          session_token: { type: 'string', minLength: 1, description: 'bedrock: else AWS_SESSION_TOKEN.' },
          headers: {
            type: 'object',
            additionalProperties: { type: 'string' },
            description: 'Sent with every request to this provider.',
          },
          list_models: {
            type: 'boolean',
            description: "Whether the provider's own model list is shown by GET /v1/models.",
            default: true,
          },
          quirks: {
            type: 'object',
            additionalProperties: false,
            description: 'openai: where the server differs from OpenAI. Known for the providers that have a name here.',
            properties: {
              token_limit: {
                enum: ['max_tokens', 'max_completion_tokens'],
                description:
                  'The only name of the limit of tokens that the server honours; the other is sent under it.',
              },
              developer_role: {
                type: 'boolean',
                description: 'Whether the server knows the role developer; if not, it is sent as system.',
                default: true,
              },
              stream_options: {
                type: 'boolean',
                description: 'Whether the server takes stream_options; if not, it must report usage unasked.',
                default: true,
              },
              accepts: {
                enum: ACCEPTED_FIELDS,
                description:
                  'Whose request and message fields the server accepts; it does not get others, and x-gateway-dropped-params names them.',
                default: 'any',
              },
            },
          },
        },
      },
    },
    models: {
      type: 'array',
      description: 'Models by the ids that clients send.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'deployments'],
        properties: {
          id: {
            type: 'string',
            minLength: 1,
            maxLength: 256,
            description:
              'What clients send as model. openai/* stands for every id that begins with openai/, * for all.',
          },
          aliases: {
            type: 'array',
            items: { type: 'string', minLength: 1, maxLength: 256 },
            description: 'Further ids that mean this model.',
            default: [],
          },
          strategy: {
            enum: ['weighted', 'priority', 'least_busy', 'fastest'],
            description:
              'weighted draws a deployment by weight; priority tries them in order; least_busy begins with the fewest calls under way; fastest with the shortest time to first byte.',
            default: 'weighted',
          },
          deployments: {
            type: 'array',
            minItems: 1,
            description: 'Where the model runs.',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['provider', 'model'],
              properties: {
                provider: { type: 'string', description: 'A name under providers.' },
                model: {
                  type: 'string',
                  minLength: 1,
                  description:
                    "The model's id at the provider. Where the id of the model is a pattern, * is what it stands for.",
                },
                weight: { type: 'number', exclusiveMinimum: 0, description: 'Share under weighted.', default: 1 },
                concurrency: {
                  type: 'integer',
                  minimum: 1,
                  description: 'Calls that one process makes of it at once; further ones wait. Without it, no limit.',
                },
              },
            },
          },
          fallbacks: {
            type: 'array',
            items: { type: 'string' },
            description: 'Models to try, in order, when every deployment failed before the first byte.',
            default: [],
          },
          price: {
            type: 'object',
            additionalProperties: false,
            required: ['input_per_million', 'output_per_million'],
            description: "US dollars per million tokens; without it, the catalogue's price.",
            properties: {
              input_per_million: {
                type: 'number',
                minimum: 0,
                maximum: HIGHEST_PRICE,
                description: 'Tokens of prompts.',
              },
              output_per_million: {
                type: 'number',
                minimum: 0,
                maximum: HIGHEST_PRICE,
                description: 'Tokens of answers.',
              },
              cached_input_per_million: {
                type: 'number',
                minimum: 0,
                maximum: HIGHEST_PRICE,
                description: "Tokens that are read from the provider's cache.",
              },
              cache_write_per_million: {
                type: 'number',
                minimum: 0,
                maximum: HIGHEST_PRICE,
                description: "Tokens that are written to the provider's cache.",
              },
            },
          },
          limits: {
            type: 'object',
            additionalProperties: false,
            description: 'For all keys together, beside the limits of each key and group.',
            properties: {
              rpm: { type: 'integer', minimum: 1, maximum: 1_000_000_000, description: 'Requests in a minute.' },
              tpm: {
                type: 'integer',
                minimum: 1,
                maximum: 1_000_000_000,
                description: 'Tokens of prompts and answers in a minute.',
              },
              concurrency: {
                type: 'integer',
                minimum: 1,
                maximum: 100_000,
                description: 'Requests under way at once.',
              },
            },
          },
          context_length: { type: 'integer', minimum: 1, description: 'Tokens; shown by GET /v1/models.' },
          max_output_tokens: {
            type: 'integer',
            minimum: 1,
            maximum: MAX_TOKENS,
            description:
              'Tokens of the longest answer. Budgets set it aside for a request without a limit of its own; shown by GET /v1/models.',
          },
          display_name: { type: 'string', minLength: 1, description: 'Shown by GET /v1/models.' },
          timeouts,
          queue: {
            type: 'object',
            additionalProperties: false,
            description: 'Where calls wait while every deployment has as many calls as its concurrency.',
            properties: {
              size: { type: 'integer', minimum: 0, description: 'Calls that may wait in one process.', default: 100 },
              timeout: timeout('Longest wait.', '10s'),
            },
          },
        },
      },
    },
  },
} as const;
