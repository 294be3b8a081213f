import type { JsonObject } from '../../runtime/json-value.js';
import { loggedBody } from '../media/client-body.js';
import { Operation, type RecordingDetail, type SpanAttributes } from '../operation.js';
import { TranscriptionCollector } from './transcription-collector.js';
import { TranscriptionEstimate } from './transcription-estimate.js';
import { TRANSCRIPTION_FIELDS, TRANSCRIPTION_FILES, type TranscriptionRequest } from './transcription-request.js';

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  ...TRANSCRIPTION_FIELDS,
  ...TRANSCRIPTION_FILES,
  'include[]',
  'timestamp_granularities[]',
  'chunking_strategy',
  'known_speaker_names[]',
  'known_speaker_references[]',
  'strict_params',
]);

class TranscriptionOperation extends Operation<'transcription'> {
  override readonly name = 'transcription';
  override readonly knownFields = KNOWN_FIELDS;

  override estimate(request: TranscriptionRequest): TranscriptionEstimate {
    return new TranscriptionEstimate(request);
  }

  override collector(request: TranscriptionRequest, detail: RecordingDetail): TranscriptionCollector {
    return new TranscriptionCollector(request, detail);
  }

  override fieldsOf({ body }: TranscriptionRequest): Readonly<JsonObject> {
    return body.named;
  }

  override withoutFields(request: TranscriptionRequest, names: readonly string[]): TranscriptionRequest {
    return { ...request, body: request.body.without(names) };
  }

  override endUserOf({ user }: TranscriptionRequest): string | null {
    return user ?? null;
  }

  override loggedRequest({ body }: TranscriptionRequest): unknown {
    return loggedBody(body);
  }

  override requestAttributes(): SpanAttributes {
    return { 'gen_ai.output.type': 'text' };
  }
}

/** Recordings that become text, in their own language or in English. */
export const TRANSCRIPTION = new TranscriptionOperation();
