import { RequestFields } from '../media/request-fields.js';
import type { Upload } from '../upload/upload.js';
import { audioDuration, type AudioDuration } from './duration/audio-duration.js';

/** A request for the text of a recording, in its own language or in English. */
export interface TranscriptionRequest {
  readonly kind: 'transcription' | 'translation';
  readonly model: string;
  readonly prompt: string | undefined;
  readonly language: string | undefined;
  /** Such as `json`, `text` or `srt`; undefined leaves it to the provider. */
  readonly responseFormat: string | undefined;
  readonly stream: boolean;
  readonly user: string | undefined;
  /** Duration of the recording according to its header. */
  readonly duration: AudioDuration;
  /** The client's name of the file; empty if it gave none. */
  readonly filename: string;
  /** The client's own form, which goes to the provider with another model alone. */
  readonly body: Upload;
}

/** Fields of a form that are read here. */
export const TRANSCRIPTION_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'prompt',
  'language',
  'response_format',
  'stream',
  'temperature',
  'user',
]);

/** Names of the part that holds the recording; some providers take an address in its place. */
export const TRANSCRIPTION_FILES = ['file'] as const;

const TEMPERATURE = { min: 0, max: 2 };

/** @throws GatewayError 400 that names the field */
export async function readTranscriptionRequest(
  kind: TranscriptionRequest['kind'],
  upload: Upload,
): Promise<TranscriptionRequest> {
  const fields = new RequestFields(upload.fields);
  fields.number('temperature', TEMPERATURE);
  const head = {
    kind,
    model: fields.model(),
    prompt: fields.text('prompt'),
    language: fields.text('language'),
    responseFormat: fields.text('response_format'),
    stream: fields.boolean('stream') ?? false,
    user: fields.text('user'),
  };
  const file = upload.files.find(({ name }) => name === TRANSCRIPTION_FILES[0]);
  const duration: AudioDuration =
    file === undefined
      ? { likelySeconds: 0, mostSeconds: 0, isKnown: false }
      : await audioDuration({
          size: file.end - file.start,
          read: (position, length) => upload.read(file, position, length),
        });
  return { ...head, duration, filename: file?.filename ?? '', body: upload };
}
