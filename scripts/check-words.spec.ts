import { findNames, findUses, uselessExceptions, WORDS } from './check-words.mjs';

function usesOf(text: string): string[] {
  return findUses('src/a.ts', text, []);
}

describe('the check of the words', () => {
  it('names file, line, word and replacement', () => {
    expect(usesOf('const a = 1;\n/** Nobody waits. */')).toEqual([
      'src/a.ts:2: "nobody": use the subject: the client, the caller, the process',
    ]);
  });

  it.each([
    ['a comment', '// calls under way'],
    ['a text', "log('a call was given up')"],
    ['a name in camel case', 'private readonly clusterSiblings = 1;'],
    ['a phrase in a name', 'storeOrSetAside(items);'],
    ['a constant', 'const MAX_PATIENCE_MS = 1;'],
    ['a type', 'export interface HealthNews {}'],
  ])('finds words in %s', (_where, text) => {
    expect(usesOf(text)).toHaveLength(1);
  });

  it.each(['string, during, restoring', 'hearing', 'a newsletter', 'bellow', 'amended', 'outpatient'])(
    'leaves words alone that only contain one: %s',
    (text) => {
      expect(usesOf(text)).toEqual([]);
    },
  );

  it('finds every use in a line', () => {
    expect(usesOf('whoever tells somebody')).toHaveLength(3);
  });

  it('allows an exact phrase in one file alone', () => {
    const exceptions = [{ file: 'src/a.ts', phrase: "'ring'", reason: 'a name on the wire' }];
    expect(findUses('src/a.ts', "const NAME = 'ring';", exceptions)).toEqual([]);
    expect(findUses('src/a.ts', 'ring the bell', exceptions)).toHaveLength(2);
    expect(findUses('src/b.ts', "const NAME = 'ring';", exceptions)).toHaveLength(1);
  });

  it('names exceptions that have become useless', () => {
    const exception = { file: 'src/a.ts', phrase: 'set aside', reason: 'an error of the API' };
    expect(uselessExceptions([exception], () => 'is set aside')).toEqual([]);
    expect(uselessExceptions([exception], () => 'is reserved')).toEqual(['src/a.ts: set aside']);
  });

  it.each([
    ['a class', 'export class AnswerRecorder {'],
    ['a field', '  private readonly lastAnswer = 1;'],
    ['a function', 'async function answerAll() {'],
    ['a constant', 'const MAX_ANSWER_WORDS = 250;'],
    ['an extreme without MIN or MAX', 'const LONGEST_WAIT_MS = 5_000;'],
    ['a time without its unit', 'const LOGIN_TIMEOUT = 5_000;'],
    ['a unit of one letter', 'export const LIFETIME_S = 600;'],
    ['a size without its unit', 'const CACHE_SIZE: number = 20_000;'],
  ])('finds a name to replace: %s', (_where, line) => {
    expect(findNames('src/a.ts', line)).toHaveLength(1);
  });

  it.each([
    'const RESPONSE_TIMEOUT_MS = 5_000;',
    'const MAX_BODY_BYTES = 1_024;',
    "const TIMEOUT = 'x-gateway-timeout';",
    "throw new Error('the server did not answer');",
    '// What no class AnswerRecorder does.',
    'const SECONDS = 5;',
  ])('leaves names and texts alone: %s', (line) => {
    expect(findNames('src/a.ts', line)).toEqual([]);
  });

  it('finds a name to replace in the name of a file', () => {
    expect(findNames('src/answer-recorder.ts', '')).toHaveLength(1);
    expect(findNames('src/response-recorder.ts', '')).toEqual([]);
  });

  it('has a replacement for each word', () => {
    expect(WORDS.every(({ use }) => use.length > 0)).toBe(true);
  });
});
