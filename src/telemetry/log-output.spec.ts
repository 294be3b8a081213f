import { jest } from '@jest/globals';
import fc from 'fast-check';
import type { write, writeSync } from 'node:fs';
import { LogOutput, type OutputCalls } from './log-output.js';

const fault = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

/** An output in memory. `outcomes` say what becomes of each write: an error, or how many bytes it takes at most; then all. */
class FakeOutput {
  text = '';
  writes = 0;
  private readonly pending: (() => void)[] = [];

  constructor(private readonly outcomes: (string | number)[] = []) {}

  readonly calls: OutputCalls = {
    write: ((_descriptor: number, bytes: Buffer, done: (error: Error | null, count: number) => void) => {
      this.pending.push(() => {
        try {
          done(null, this.take(bytes));
        } catch (error) {
          done(error as Error, 0);
        }
      });
    }) as typeof write,
    writeSync: ((_descriptor: number, bytes: Buffer) => this.take(bytes)) as typeof writeSync,
  };

  /** Ends the writes that run. */
  step(): void {
    for (const end of this.pending.splice(0)) end();
  }

  private take(bytes: Buffer): number {
    this.writes += 1;
    const outcome = this.outcomes.shift();
    if (typeof outcome === 'string') throw fault(outcome);
    const count = Math.min(bytes.length, outcome ?? Infinity);
    this.text += bytes.toString('latin1', 0, count);
    return count;
  }
}

describe('the output of the log', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('has every line once and in order, with any number of bytes that single writes take, and any failures', () => {
    const outcome = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom('EAGAIN', 'ENOSPC', 'EBUSY', 'EINTR'));
    const action = fc.oneof(fc.constant('step' as const), fc.constant('wait' as const), fc.integer({ min: 1, max: 5 }));
    fc.assert(
      fc.property(fc.array(outcome), fc.array(action, { maxLength: 40 }), (outcomes, actions) => {
        const fake = new FakeOutput([...outcomes]);
        const output = new LogOutput(1, fake.calls);
        let count = 0;
        let expected = '';
        for (const each of actions) {
          if (each === 'step') fake.step();
          else if (each === 'wait') jest.advanceTimersByTime(100);
          for (let added = 0; typeof each === 'number' && added < each; added += 1) {
            const line = `line ${(count += 1)}\n`;
            expected += line;
            output.write(line);
          }
        }
        for (let round = 0; round < outcomes.length * 2 + count + 2; round += 1) {
          fake.step();
          jest.advanceTimersByTime(100);
        }
        expect(fake.text).toBe(expected);
      }),
    );
  });

  it('writes what waits at the end, also what failed before', () => {
    const fake = new FakeOutput(['EAGAIN', 3]);
    const output = new LogOutput(1, fake.calls);
    output.write('one\n');
    output.write('two\n');
    fake.step();
    output.flushSync();
    expect(fake.text).toBe('one\ntwo\n');
    output.write('three\n');
    fake.step();
    expect(fake.text).toBe('one\ntwo\nthree\n');
  });

  it('drops lines beyond its bound, and says how many', () => {
    const fake = new FakeOutput(['ENOSPC']);
    const output = new LogOutput(1, fake.calls);
    const line = `${'x'.repeat(1_000_000)}\n`;
    output.write('first\n');
    fake.step();
    for (let count = 0; count < 20; count += 1) output.write(line);
    jest.advanceTimersByTime(100);
    for (let round = 0; round < 50; round += 1) fake.step();
    const lines = fake.text.split('\n');
    expect(lines.filter((each) => each.startsWith('x'))).toHaveLength(16);
    expect(lines[0]).toBe('first');
    const notes = lines.filter((each) => each.startsWith('{')).map((each) => JSON.parse(each) as object);
    expect(notes).toEqual([expect.objectContaining({ level: 'warn', dropped: 4, pid: process.pid })]);
  });

  it('writes nothing more to a reader that has ended', () => {
    const fake = new FakeOutput(['EPIPE']);
    const output = new LogOutput(1, fake.calls);
    output.write('one\n');
    fake.step();
    output.write('two\n');
    output.flushSync();
    expect([fake.text, fake.writes]).toEqual(['', 1]);
  });

  it('does not wait at the end for an output that takes nothing', () => {
    jest.useRealTimers();
    const fake = new FakeOutput(Array.from({ length: 10_000 }, () => 'ENOSPC'));
    const output = new LogOutput(1, fake.calls);
    output.write('one\n');
    fake.step();
    output.flushSync();
    expect(fake.text).toBe('');
  });
});
