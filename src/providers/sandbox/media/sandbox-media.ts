import { upstreamError } from '../../../errors/gateway-error.js';
import type { ImageRequest } from '../../../operations/images/image-request.js';
import {
  isEventStream,
  readJsonObject,
  type RawChunk,
  type RawHead,
  type RawResponse,
} from '../../../operations/media/raw-response.js';
import type { OperationStream } from '../../../operations/operation-types.js';
import type { SpeechRequest } from '../../../operations/speech/speech-request.js';
import type { TranscriptionRequest } from '../../../operations/transcription/transcription-request.js';
import type { CancelSignal } from '../../../runtime/cancel-signal.js';
import { frameData } from '../../../wire/sse/sse-frames.js';
import type { ProviderCall } from '../../provider.js';
import { sandboxImageEvents, sandboxImages } from './sandbox-images.js';
import { sandboxSpeech } from './sandbox-speech.js';
import { sandboxTranscription, sandboxTranscriptionEvents } from './sandbox-transcription.js';

const EVENTS: RawHead = { contentType: 'text/event-stream' };

/** Makes the images of a request. */
export async function imagesInSandbox({ request }: ProviderCall<ImageRequest>): Promise<RawResponse> {
  const body = await sandboxImages(request, nowInSeconds());
  return { contentType: 'application/json', body: Buffer.from(JSON.stringify(body)) };
}

/** Streams the images of a request as events. */
export function imageStreamInSandbox(call: ProviderCall<ImageRequest>): Promise<OperationStream<'images'>> {
  return opened(EVENTS, sandboxImageEvents(call.request, nowInSeconds()), call);
}

/** Makes the speech of a request. */
export function speechInSandbox({ request }: ProviderCall<SpeechRequest>): RawResponse {
  const { contentType, pieces } = sandboxSpeech(request);
  return { contentType, body: Buffer.concat(pieces) };
}

/** Streams the speech of a request. */
export function speechStreamInSandbox(call: ProviderCall<SpeechRequest>): Promise<OperationStream<'speech'>> {
  const { contentType, pieces } = sandboxSpeech(call.request);
  return opened({ contentType }, pieces, call, Math.ceil(pieces.length / 2));
}

/** Makes the transcription of a request. */
export function transcriptionInSandbox({ request }: ProviderCall<TranscriptionRequest>): RawResponse {
  return sandboxTranscription(request);
}

/** Streams the transcription of a request as events. */
export function transcriptionStreamInSandbox(
  call: ProviderCall<TranscriptionRequest>,
): Promise<OperationStream<'transcription'>> {
  const { contentType, pieces } = sandboxTranscriptionEvents(call.request);
  return opened({ contentType }, pieces, call, Math.ceil(pieces.length / 2));
}

interface RawStream extends AsyncIterable<readonly RawChunk[]> {
  readonly head: RawHead;
}

/**
 * The first piece is made at once, so that a request which the sandbox refuses has a status.
 *
 * @param half pieces after which the model `cut` fails
 */
async function opened(
  head: RawHead,
  pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
  { upstreamModel, signal }: ProviderCall<unknown>,
  half = 1,
): Promise<RawStream> {
  const groups = groupsOf(pieces, isEventStream(head), upstreamModel === 'cut' ? half : Infinity, signal);
  const first = await groups.next();
  return {
    head,
    async *[Symbol.asyncIterator]() {
      if (first.done === true) return;
      yield first.value;
      yield* groups;
    },
  };
}

async function* groupsOf(
  pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
  hasEvents: boolean,
  whole: number,
  signal: CancelSignal,
): AsyncGenerator<readonly RawChunk[]> {
  let sent = 0;
  for await (const bytes of pieces) {
    signal.throwIfAborted();
    if (sent === whole) throw upstreamError({ message: 'The sandbox model cut always breaks off half-way.' });
    const data = hasEvents ? frameData(bytes) : undefined;
    yield [{ bytes, event: data === undefined ? undefined : readJsonObject(data) }];
    sent += 1;
    // Others get their turn on the event loop.
    await new Promise(setImmediate);
  }
  if (whole !== Infinity) throw upstreamError({ message: 'The sandbox model cut always breaks off half-way.' });
}

function nowInSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}
