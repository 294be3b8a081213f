import type { RawHead, RawResponse } from '../../../operations/media/raw-response.js';
import type { TranscriptionRequest } from '../../../operations/transcription/transcription-request.js';
import { eventFrame } from './event-frame.js';
import { unsupported } from './sandbox-images.js';
import { segmentsOf, toSrt, toVtt, type Segment } from './subtitles.js';

const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';
const MAX_NAME_CHARACTERS = 200;

/**
 * The sandbox does not process sound: its text names the file and its length.
 *
 * @throws GatewayError 400 that names the field, for a format that there is not
 */
export function sandboxTranscription(request: TranscriptionRequest): RawResponse {
  const { kind, responseFormat = 'json', language, duration } = request;
  const text = textOf(request);
  const segments = segmentsOf(text, duration.likelySeconds);
  switch (responseFormat) {
    case 'json':
      return json({ text, usage: usageOf(request) });
    case 'verbose_json':
      return json({
        task: kind === 'translation' ? 'translate' : 'transcribe',
        language: kind === 'translation' ? 'english' : (language ?? 'english'),
        duration: duration.likelySeconds,
        text,
        segments: segments.map((segment, id) => verbose(segment, id)),
        usage: usageOf(request),
      });
    case 'text':
      return { contentType: TEXT_TYPE, body: Buffer.from(`${text}\n`) };
    case 'srt':
      return { contentType: TEXT_TYPE, body: Buffer.from(toSrt(segments)) };
    case 'vtt':
      return { contentType: TEXT_TYPE, body: Buffer.from(toVtt(segments)) };
    default:
      throw unsupported('response_format', 'answers in json, text, srt, vtt and verbose_json. Send one of them');
  }
}

/** The text word by word. */
export function sandboxTranscriptionEvents(request: TranscriptionRequest): RawHead & { readonly pieces: Buffer[] } {
  if (request.responseFormat !== undefined && request.responseFormat !== 'json') {
    throw unsupported('response_format', 'streams json alone. Send json, or leave stream out');
  }
  const text = textOf(request);
  const deltas = text.match(/\s*\S+/g) ?? [];
  return {
    contentType: 'text/event-stream',
    pieces: [
      ...deltas.map((delta) => eventFrame('transcript.text.delta', { delta })),
      eventFrame('transcript.text.done', { text, usage: usageOf(request) }),
    ],
  };
}

function textOf({ kind, filename, duration: { likelySeconds: seconds, isKnown } }: TranscriptionRequest): string {
  const name = filename === '' ? 'a recording' : filename.slice(0, MAX_NAME_CHARACTERS);
  const length = isKnown ? `which lasts ${Math.round(seconds * 100) / 100} seconds` : 'whose length it does not know';
  return `Sandbox ${kind} of ${name}, ${length}.`;
}

/** Whole seconds, as Whisper bills them. */
function usageOf({ duration }: TranscriptionRequest): object {
  return { type: 'duration', seconds: Math.ceil(duration.likelySeconds) };
}

function verbose({ start, end, text }: Segment, id: number): object {
  return {
    id,
    seek: 0,
    start,
    end,
    text: ` ${text}`,
    tokens: [],
    temperature: 0,
    avg_logprob: 0,
    compression_ratio: 1,
    no_speech_prob: 0,
  };
}

function json(body: object): RawResponse {
  return { contentType: JSON_TYPE, body: Buffer.from(JSON.stringify(body)) };
}
