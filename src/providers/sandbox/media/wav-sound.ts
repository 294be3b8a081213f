/** As OpenAI's `pcm` has it: 24,000 samples of 16 bits in a second, one channel. */
export const SAMPLE_RATE_HZ = 24_000;
const BYTES_PER_SAMPLE = 2;
const HEADER_BYTES = 44;
/** Seconds of the tone of one word at normal speed, by its characters. */
const SECONDS_PER_CHARACTER = 0.05;
const PAUSE_SECONDS = 0.05;
const MIN_SECONDS = 0.25;
const MAX_SECONDS = 20;
/** A pentatonic scale, in Hz. */
const TONES = [261.63, 293.66, 329.63, 392, 440, 523.25, 587.33];
const LOUDNESS = 8_000;
/** Samples in which a tone swells and fades, so that it does not click. */
const FADE_SAMPLES = 240;

/**
 * The sandbox's speech: a tone for each word, as long as the word and of a pitch that follows from it. Samples in
 * little-endian order, without a header.
 */
export function toneSamples(text: string, speed: number): Buffer {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const seconds = words.map((word) => [...word].length * SECONDS_PER_CHARACTER + PAUSE_SECONDS);
  const whole = seconds.reduce((sum, each) => sum + each, 0) / speed;
  const length = Math.round(Math.min(MAX_SECONDS, Math.max(MIN_SECONDS, whole)) * SAMPLE_RATE_HZ);
  const samples = Buffer.alloc(length * BYTES_PER_SAMPLE);
  let start = 0;
  for (const [index, word] of words.entries()) {
    const end = Math.min(length, start + Math.round(((seconds[index] ?? 0) / speed) * SAMPLE_RATE_HZ));
    writeTone(samples, start, end - Math.round((PAUSE_SECONDS / speed) * SAMPLE_RATE_HZ), toneOf(word));
    start = end;
    if (start === length) break;
  }
  return samples;
}

/** A WAV file of such samples. */
export function wavFile(samples: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(HEADER_BYTES - 8 + samples.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  // PCM, one channel.
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(SAMPLE_RATE_HZ, 24);
  header.writeUInt32LE(SAMPLE_RATE_HZ * BYTES_PER_SAMPLE, 28);
  header.writeUInt16LE(BYTES_PER_SAMPLE, 32);
  header.writeUInt16LE(BYTES_PER_SAMPLE * 8, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}

function toneOf(word: string): number {
  let sum = 0;
  for (let at = 0; at < word.length; at += 1) sum += word.charCodeAt(at);
  return TONES[sum % TONES.length] ?? 440;
}

function writeTone(samples: Buffer, from: number, to: number, frequency: number): void {
  for (let at = from; at < to; at += 1) {
    const edge = Math.min(1, (at - from) / FADE_SAMPLES, (to - at) / FADE_SAMPLES);
    const value = Math.sin((2 * Math.PI * frequency * (at - from)) / SAMPLE_RATE_HZ) * LOUDNESS * edge;
    samples.writeInt16LE(Math.round(value), at * BYTES_PER_SAMPLE);
  }
}
