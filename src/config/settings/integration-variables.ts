import { choice, decimal, flag, text } from './kinds.js';
import { setting } from './setting.js';

const KEY = text({ form: '32 bytes in hex or base64' });

/** Keys of the request log; read-encryption-keys.ts reads them. */
export const REQUEST_LOG_VARIABLES = {
  GATEWAY_REQUEST_LOG_KEY: setting(KEY, {
    description: 'Random bytes that encrypt the [request log](observability.md#request-log).',
    without: 'no request log',
    secret: true,
  }),
  GATEWAY_REQUEST_LOG_PREVIOUS_KEYS: setting(text({ form: 'keys, separated by commas' }), {
    description: 'Earlier keys of the request log. They still decrypt.',
    without: 'none',
    secret: true,
  }),
} as const;

export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** OpenTelemetry's variables; read-tracing.ts reads them. Its packages read further ones by themselves. */
export const TRACING_VARIABLES = {
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(text({ form: 'URL' }), {
    description: 'The collector that gets the traces, as OTLP over HTTP. `/v1/traces` is added.',
    without: 'no traces',
    example: 'http://127.0.0.1:4318',
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: setting(text({ form: 'URL' }), {
    description: 'The whole address of the collector for traces; nothing is added.',
    without: 'derived from `OTEL_EXPORTER_OTLP_ENDPOINT`',
    example: 'http://127.0.0.1:4318/v1/traces',
  }),
  OTEL_EXPORTER_OTLP_PROTOCOL: setting(choice(['http/json']), {
    description: 'How traces are sent. `grpc` is refused.',
    default: 'http/json',
  }),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: setting(choice(['http/json']), {
    description: 'How traces are sent, where it differs from other signals. `grpc` is refused.',
    default: 'http/json',
  }),
  OTEL_SDK_DISABLED: setting(flag(), {
    description: '`true` turns traces off.',
    default: false,
  }),
  OTEL_TRACES_EXPORTER: setting(choice(['otlp', 'none']), {
    description: '`none` turns traces off.',
    default: 'otlp',
  }),
  OTEL_TRACES_SAMPLER: setting(choice(SAMPLERS), {
    description: 'Which requests are traced.',
    default: 'parentbased_always_on',
  }),
  OTEL_TRACES_SAMPLER_ARG: setting(decimal({ form: 'number from 0 to 1', minimum: 0, maximum: 1 }), {
    description: 'The share of requests that the `traceidratio` samplers trace.',
    default: 1,
    example: 0.1,
  }),
  OTEL_SERVICE_NAME: setting(text(), {
    description: 'The name of the service in traces.',
    default: 'llm-gateway',
  }),
  OTEL_RESOURCE_ATTRIBUTES: setting(text({ form: '`name=value,name=value`' }), {
    description: 'Further attributes of the service in traces. Values are percent-encoded.',
    without: 'none',
    example: 'deployment.environment.name=production',
  }),
  OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: setting(flag(), {
    description: 'Whether traces hold prompts and responses, in clear text.',
    default: false,
  }),
} as const;
