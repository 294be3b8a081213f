import type { JsonObject } from '../../runtime/json-value.js';
import { withoutBodyFields } from '../media/client-body.js';
import { Operation, type RecordingDetail, type SpanAttributes } from '../operation.js';
import { SpeechCollector } from './speech-collector.js';
import { SpeechEstimate } from './speech-estimate.js';
import type { SpeechRequest } from './speech-request.js';

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'input',
  'voice',
  'instructions',
  'response_format',
  'speed',
  'stream_format',
  'user',
  'strict_params',
]);

class SpeechOperation extends Operation<'speech'> {
  override readonly name = 'speech';
  override readonly knownFields = KNOWN_FIELDS;

  override estimate(request: SpeechRequest): SpeechEstimate {
    return new SpeechEstimate(request);
  }

  override collector(request: SpeechRequest, detail: RecordingDetail): SpeechCollector {
    return new SpeechCollector(request, detail);
  }

  override fieldsOf({ body }: SpeechRequest): Readonly<JsonObject> {
    return body;
  }

  override withoutFields(request: SpeechRequest, names: readonly string[]): SpeechRequest {
    return { ...request, body: withoutBodyFields(request.body, names) as JsonObject };
  }

  override endUserOf({ user }: SpeechRequest): string | null {
    return user ?? null;
  }

  override loggedRequest({ body }: SpeechRequest): unknown {
    return body;
  }

  override requestAttributes(): SpanAttributes {
    return { 'gen_ai.output.type': 'speech' };
  }
}

/** Text that is read out. */
export const SPEECH = new SpeechOperation();
