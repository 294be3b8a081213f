import type { ConfigFault } from './config-error.js';
import type { TracingConfig } from './gateway-config.js';
import { SAMPLERS } from './settings/integration-variables.js';
import type { ReadVariable, VariableName } from './settings/variables.js';
import { parseUrl } from '../runtime/parse-url.js';

/**
 * Reads the standard variables of OpenTelemetry. Its packages read further ones by themselves (headers, timeouts, certificates,
 * the queue of spans). Values that operators may mistype are checked here.
 *
 * @param text reads a variable; an empty one counts as unset
 * @returns undefined when tracing is off
 */
export function readTracing(text: ReadVariable, faults: ConfigFault[]): TracingConfig | undefined {
  const variable = (['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const).find(
    (name) => text(name) !== undefined,
  );
  const isOff = text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || text('OTEL_TRACES_EXPORTER') === 'none';
  if (variable === undefined || isOff) return undefined;
  const endpoint = text(variable) ?? '';
  if (!/^https?:\/\/./.test(endpoint) || parseUrl(endpoint) === undefined) {
    faults.push({ path: variable, message: 'must be a URL such as http://127.0.0.1:4318' });
  } else if (variable === 'OTEL_EXPORTER_OTLP_ENDPOINT' && /\/v1\/traces\/*$/.test(endpoint)) {
    const base = endpoint.replace(/\/v1\/traces\/*$/, '');
    faults.push({ path: variable, message: `ends in the route /v1/traces, which is added to it. Write ${base}` });
  }
  for (const name of ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'] as const) {
    if (text(name) === 'grpc') {
      faults.push({
        path: name,
        message: 'spans are sent over HTTP as JSON. Set http/json and the port of HTTP, 4318',
      });
    }
  }
  const sampler = text('OTEL_TRACES_SAMPLER');
  if (sampler !== undefined && !SAMPLERS.some((each) => each === sampler)) {
    faults.push({ path: 'OTEL_TRACES_SAMPLER', message: `must be one of ${SAMPLERS.join(', ')}` });
  }
  const ratio = text('OTEL_TRACES_SAMPLER_ARG');
  if (ratio !== undefined && !(Number(ratio) >= 0 && Number(ratio) <= 1)) {
    faults.push({ path: 'OTEL_TRACES_SAMPLER_ARG', message: 'must be a number from 0 to 1' });
  }
  const resource = readPairs('OTEL_RESOURCE_ATTRIBUTES', text, faults);
  return {
    serviceName: text('OTEL_SERVICE_NAME') ?? resource['service.name'] ?? 'llm-gateway',
    resource,
    captureContent: text('OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT')?.toLowerCase() === 'true',
  };
}

/** `name=value,name=value`, percent-encoded. */
function readPairs(variable: VariableName, text: ReadVariable, faults: ConfigFault[]): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const pair of (text(variable) ?? '').split(',')) {
    if (pair.trim() === '') continue;
    const equals = pair.indexOf('=');
    try {
      if (equals < 1) throw new URIError('no name');
      pairs[decodeURIComponent(pair.slice(0, equals).trim())] = decodeURIComponent(pair.slice(equals + 1).trim());
    } catch {
      faults.push({ path: variable, message: 'must look like name=value,name=value, with %2C for a comma' });
    }
  }
  return pairs;
}
