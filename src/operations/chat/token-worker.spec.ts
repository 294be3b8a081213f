import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { cpuTimeRatio } from '../../../test/fixtures/cpu-time.js';
import { count } from './token-worker.js';

describe('counting tokens', () => {
  it('counts a text by the vocabulary, and the rest of a long one at the same rate', () => {
    expect([count([]), count(['']), count(['Hello there']), count(['Hello', ' there'])]).toEqual([0, 0, 2, 2]);
    const sentence = 'The quick brown fox jumps over the lazy dog. ';
    const one = count([sentence.repeat(20)]);
    for (const times of [100, 1_000]) {
      const ratio = count([sentence.repeat(20 * times)]) / one / times;
      expect(ratio).toBeGreaterThan(0.98);
      expect(ratio).toBeLessThan(1.02);
    }
  });

  it('counts a text that is cut between words as if it were not', () => {
    const text = 'Ein Satz mit Umlauten wie Äpfel, Öl und Übung; and some English. '.repeat(100);
    expect(count([text])).toBe(encode(text).length);
  });

  it('is not held up by a text that is one word', () => {
    // A word without repetitions, of which the tokenizer could remember a part.
    const letters = Array.from({ length: 64_000 }, (_, index) => String.fromCharCode(97 + ((index * index * 7) % 26)));
    const word = letters.join('');
    // Sixty-four times the text: quadratic time would be 4,096 times as long. At once it took five seconds, and those after it had to wait.
    const times = cpuTimeRatio(
      () => count([word]),
      () => count([word.slice(0, 1_000)]),
    );
    expect(times).toBeLessThan(500);
    const tokens = count(['x'.repeat(60_000)]);
    expect(tokens).toBeGreaterThan(60_000 / 16);
  });
});
