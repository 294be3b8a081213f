import type { ConfigFault } from './config-error.js';
import { readTracing } from './read-tracing.js';

function read(variables: Record<string, string>) {
  const faults: ConfigFault[] = [];
  const config = readTracing((name) => variables[name], faults);
  return { config, faults: faults.map(({ path }) => path) };
}

const on = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

describe('readTracing', () => {
  it('is off without an endpoint, and where the standard switches say so', () => {
    expect(read({ OTEL_SERVICE_NAME: 'x' }).config).toBeUndefined();
    expect(read({ ...on, OTEL_SDK_DISABLED: 'true' }).config).toBeUndefined();
    expect(read({ ...on, OTEL_TRACES_EXPORTER: 'none' }).config).toBeUndefined();
  });

  it('reads name, resource and the switch of content', () => {
    expect(read(on).config).toEqual({ serviceName: 'llm-gateway', resource: {}, captureContent: false });
    const { config, faults } = read({
      ...on,
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test, team=a%2Cb',
      OTEL_SERVICE_NAME: 'edge',
      OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true',
    });
    expect(faults).toEqual([]);
    expect(config).toEqual({
      serviceName: 'edge',
      resource: { 'deployment.environment.name': 'test', team: 'a,b' },
      captureContent: true,
    });
  });

  it('names each variable that is wrong', () => {
    const { faults } = read({
      OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:4318',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_TRACES_SAMPLER: 'sometimes',
      OTEL_TRACES_SAMPLER_ARG: '2',
      OTEL_RESOURCE_ATTRIBUTES: 'nothing',
    });
    expect(faults).toEqual([
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'OTEL_EXPORTER_OTLP_PROTOCOL',
      'OTEL_TRACES_SAMPLER',
      'OTEL_TRACES_SAMPLER_ARG',
      'OTEL_RESOURCE_ATTRIBUTES',
    ]);
  });
});
