import fc from 'fast-check';
import { GatewayError } from '../../errors/gateway-error.js';
import { parseJson } from '../../http/read-json.js';
import { JsonMembers } from './streaming-json.js';

interface Cut {
  members: [string, unknown][];
  elements: unknown[];
}

function cut(text: string | Buffer, splits: readonly number[] = [], maxPart = 1_000_000): Cut {
  const members: [string, unknown][] = [];
  const elements: unknown[] = [];
  const reader = new JsonMembers('tasks', maxPart, {
    member: (name, json) => members.push([name, parseJson(json)]),
    element: (json) => elements.push(parseJson(json)),
  });
  const bytes = Buffer.from(text as string);
  let start = 0;
  for (const split of [...splits].sort((a, b) => a - b)) {
    const at = Math.min(split, bytes.length);
    reader.write(bytes.subarray(start, at));
    start = at;
  }
  reader.write(bytes.subarray(start));
  reader.end();
  return { members, elements };
}

const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof GatewayError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no error';
};

describe('JsonMembers', () => {
  it('gives what JSON.parse gives, however the bytes are split and the text is spaced', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ unit: 'grapheme' }).filter((name) => name !== 'tasks' && name !== '__proto__'),
          fc.jsonValue(),
        ),
        fc.array(fc.jsonValue()),
        fc.array(fc.nat(2_000), { maxLength: 20 }),
        fc.constantFrom(undefined, 1, '\t'),
        fc.boolean(),
        (fields, tasks, splits, space, tasksFirst) => {
          const body = tasksFirst ? { tasks, ...fields } : { ...fields, tasks };
          const text = JSON.stringify(body, null, space);
          const expected = JSON.parse(text) as Record<string, unknown>;
          const { members, elements } = cut(text, splits);
          expect(elements).toEqual(expected['tasks']);
          expect(Object.fromEntries(members)).toEqual(
            Object.fromEntries(Object.entries(expected).filter(([name]) => name !== 'tasks')),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives the same at every single split', () => {
    const text = ' {"model" : "é\\"]}", "tasks": [ "a,b" ,1.5e3, null, {"x":[{"y":"}"}]} , [] ,true ] , "n":-1} \n';
    const whole = cut(text);
    const length = Buffer.byteLength(text);
    for (let at = 0; at <= length; at += 1) expect(cut(text, [at])).toEqual(whole);
    expect(
      cut(
        text,
        Array.from({ length }, (_, at) => at),
      ),
    ).toEqual(whole);
    expect(whole.elements).toHaveLength(6);
  });

  it('never takes a text that JSON.parse refuses, and never throws anything else than a 400', () => {
    const pieces = ['{', '}', '[', ']', ',', ':', '"tasks"', '"a"', '1', 'x', ' ', '"', '\\', 'null', '"tasks":['];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 14 }), (parts) => {
        const text = parts.join('');
        let valid = true;
        try {
          const value = JSON.parse(text) as unknown;
          valid = typeof value === 'object' && value !== null && !Array.isArray(value);
        } catch {
          valid = false;
        }
        const outcome = messageOf(() => cut(text));
        if (!valid) expect(outcome).not.toBe('no error');
        else if (!outcome.startsWith('duplicate_field')) expect(outcome).toBe('no error');
      }),
      { numRuns: 1_500 },
    );
  });

  it.each([
    ['', 'invalid_json'],
    ['[]', 'invalid_type'],
    ['"x"', 'invalid_type'],
    ['{"tasks":[1,]}', 'invalid_json'],
    ['{"tasks":[,1]}', 'invalid_json'],
    ['{"tasks":[1 2]}', 'invalid_json'],
    ['{"tasks":[1],}', 'invalid_json'],
    ['{"tasks":[1]} x', 'invalid_json'],
    ['{"tasks":[1}', 'invalid_json'],
    ['{"tasks":[[1}]}', 'invalid_json'],
    ['{"tasks":[1],"tasks":[2]}', 'duplicate_field'],
  ])('refuses %j as %s', (text, code) => {
    expect(messageOf(() => cut(text))).toMatch(new RegExp(`^${code}: `));
  });

  it('hands a list that is none over as a member, for its type to be named', () => {
    expect(cut('{"tasks":"x"}').members).toEqual([['tasks', 'x']]);
    expect(cut('{"tasks":{"0":1}}').members).toEqual([['tasks', { 0: 1 }]]);
  });

  it('refuses bytes that are no UTF-8, and parts over the cap', () => {
    expect(messageOf(() => cut(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])))).toMatch(/UTF-8/);
    const long = JSON.stringify({ tasks: ['x'.repeat(200)] });
    expect(messageOf(() => cut(long, [], 100))).toMatch(/larger than 100 bytes/);
    expect(messageOf(() => cut(long, [50, 90, 120], 100))).toMatch(/larger than 100 bytes/);
  });
});
