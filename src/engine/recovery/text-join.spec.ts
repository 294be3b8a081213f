import fc from 'fast-check';
import { ContinueJoin, Contradiction, RestartJoin, type TextJoin } from './text-join.js';

const WORDS = Array.from({ length: 60 }, (_, at) => `word${at}${'abcdefg'[at % 7]}`);
const ANSWER = WORDS.join(' ');

/** Pushes a text in pieces of these lengths. */
function joined(join: TextJoin, text: string, sizes: readonly number[]): string {
  let out = '';
  let at = 0;
  for (let turn = 0; at < text.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    out += join.push(text.slice(at, at + size));
    at += size;
  }
  return out + join.end();
}

const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 });
const cut = fc.integer({ min: 0, max: ANSWER.length });

describe('a restarted response', () => {
  it('gives the whole text, wherever the first one was cut and however the second one comes', () => {
    fc.assert(
      fc.property(cut, sizes, (at, pieces) => {
        const sent = ANSWER.slice(0, at);
        expect(sent + joined(new RestartJoin(sent), ANSWER, pieces)).toBe(ANSWER);
      }),
    );
  });

  it('never sends anything behind text that it contradicts', () => {
    fc.assert(
      fc.property(cut, fc.nat(), fc.string({ minLength: 1 }), sizes, (at, where, other, pieces) => {
        const sent = ANSWER.slice(0, at);
        const from = where % (sent.length + 1);
        const text = ANSWER.slice(0, from) + other + ANSWER.slice(from);
        if (text.startsWith(sent)) return;
        const join = new RestartJoin(sent);
        expect(() => joined(join, text, pieces)).toThrow(Contradiction);
      }),
    );
  });

  it('contradicts what was sent when it ends before it', () => {
    expect(() => joined(new RestartJoin('one two three'), 'one two', [3])).toThrow(Contradiction);
  });
});

describe('a response that goes on', () => {
  it('gives the whole text, with or without the space at the cut', () => {
    fc.assert(
      fc.property(cut, sizes, (at, pieces) => {
        const sent = ANSWER.slice(0, at);
        const asked = sent.trimEnd();
        expect(sent + joined(new ContinueJoin(sent, asked), ANSWER.slice(at), pieces)).toBe(ANSWER);
        expect(sent + joined(new ContinueJoin(sent, asked), ANSWER.slice(asked.length), pieces)).toBe(ANSWER);
      }),
    );
  });

  it('leaves out words of the end that it repeats', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 59 }), fc.integer({ min: 2, max: 20 }), sizes, (count, repeats, pieces) => {
        const sent = WORDS.slice(0, count).join(' ');
        const from = Math.max(1, count - repeats);
        const text = WORDS.slice(from).join(' ');
        expect(sent + joined(new ContinueJoin(sent), text, pieces)).toBe(ANSWER);
        expect(sent + joined(new ContinueJoin(sent), ` ${text}`, pieces)).toBe(ANSWER);
      }),
    );
  });

  it('is joined as a restarted one where it begins again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 59 }), sizes, (count, pieces) => {
        const sent = WORDS.slice(0, count).join(' ');
        expect(sent + joined(new ContinueJoin(sent), ANSWER, pieces)).toBe(ANSWER);
      }),
    );
  });

  it('is joined as a restarted one where it begins again behind any part of the first words', () => {
    const wholes = ['Absolutely. It is so.', 'The answer', 'ftt. gvj kos', '你好, world', ANSWER];
    for (const whole of wholes) {
      for (let at = 1; at < Math.min(30, whole.length); at += 1) {
        const sent = whole.slice(0, at);
        for (const size of [1, 2, 5, 100]) {
          const join = new ContinueJoin(sent, sent.trimEnd());
          expect(sent + joined(join, whole, [size])).toBe(whole);
        }
      }
    }
  });

  it.each(['1', '**', '#', '"', '- 1.'])(
    'contradicts a short text without a letter that comes once more: %j',
    (sent) => {
      for (const size of [1, 100])
        expect(() => joined(new ContinueJoin(sent), `${sent} apples`, [size])).toThrow(Contradiction);
      expect(sent + joined(new ContinueJoin(sent), ' apples', [2])).toBe(`${sent} apples`);
    },
  );

  it.each([
    ['| a | b |\n| ------- |', ' ------- |\n| 1 | 2 |'],
    ['if (a) {\n    b();\n    }\n', '    }\n}'],
    ['they sang la la', ' la la land'],
    ['it was very very', ' very very late'],
    ['the numbers 1, 1,', ' 1, 1, 2'],
    ['he said that', ' that was it'],
    ['hahahaha', 'haha'],
  ])('keeps text that is alike by its nature: %j and %j', (sent, text) => {
    for (const size of [1, 3, 100]) expect(joined(new ContinueJoin(sent), text, [size])).toBe(text);
  });

  it('leaves out the last word where the two would run into each other', () => {
    expect(joined(new ContinueJoin('earns trust only'), 'only when', [2])).toBe(' when');
    expect(joined(new ContinueJoin('earns trust on'), 'ly when', [2])).toBe('ly when');
  });
});
