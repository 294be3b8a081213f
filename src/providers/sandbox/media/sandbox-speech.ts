import type { RawHead } from '../../../operations/media/raw-response.js';
import type { SpeechRequest } from '../../../operations/speech/speech-request.js';
import { eventFrame } from './event-frame.js';
import { unsupported } from './sandbox-images.js';
import { SAMPLE_RATE_HZ, toneSamples, wavFile } from './wav-sound.js';

const PIECE_BYTES = 16 * 1024;
/** Characters that are read; speech ends after 20 s anyway. */
const MAX_CHARACTERS = 4_096;
/** Bytes of one second of samples. */
const BYTES_PER_SECOND = SAMPLE_RATE_HZ * 2;
const TOKENS_PER_SECOND = 20;

/**
 * The sandbox's speech: a tone for each word. WAV where the client names no format, because nothing here can make an MP3.
 *
 * @throws GatewayError 400 that names the field, for what the sandbox cannot do
 */
export function sandboxSpeech(request: SpeechRequest): RawHead & { readonly pieces: readonly Buffer[] } {
  const { input, responseFormat, speed, streamFormat } = request;
  if (responseFormat !== undefined && responseFormat !== 'wav' && responseFormat !== 'pcm') {
    throw unsupported('response_format', 'makes wav and pcm alone. Send one of them, or leave it out for wav');
  }
  if (input.length > MAX_CHARACTERS) {
    throw unsupported('input', `reads at most ${MAX_CHARACTERS} characters. Send less`);
  }
  const samples = toneSamples(input, Math.min(4, Math.max(0.25, speed)));
  const isPcm = responseFormat === 'pcm';
  const pieces = piecesOf(isPcm ? samples : wavFile(samples));
  if (streamFormat === 'audio') return { contentType: isPcm ? 'audio/pcm' : 'audio/wav', pieces };
  const inputTokens = input.split(/\s+/).filter((word) => word !== '').length;
  const outputTokens = Math.ceil((samples.length / BYTES_PER_SECOND) * TOKENS_PER_SECOND);
  const usage = { input_tokens: inputTokens, output_tokens: outputTokens, total_tokens: inputTokens + outputTokens };
  return {
    contentType: 'text/event-stream',
    pieces: [
      ...pieces.map((piece) => eventFrame('speech.audio.delta', { audio: piece.toString('base64') })),
      eventFrame('speech.audio.done', { usage }),
    ],
  };
}

function piecesOf(sound: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let start = 0; start < sound.length; start += PIECE_BYTES)
    pieces.push(sound.subarray(start, start + PIECE_BYTES));
  return pieces;
}
