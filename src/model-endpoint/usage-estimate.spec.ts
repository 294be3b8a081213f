import type { CanonicalChunk, CanonicalResult } from '../operations/chat/canonical/canonical-result.js';
import { UsageEstimate, withUsage } from './usage-estimate.js';

const START: CanonicalChunk = { type: 'start' };
const DELTA: CanonicalChunk = { type: 'delta', choice: 0, index: 0, text: 'twelve chars' };
const FINISH: CanonicalChunk = { type: 'finish', choice: 0, reason: 'stop' };
const END: CanonicalChunk = { type: 'end' };
const REPORTED: CanonicalChunk = { type: 'usage', usage: { inputTokens: 1, outputTokens: 2 } };
const ESTIMATED: CanonicalChunk = { type: 'usage', usage: { inputTokens: 7, outputTokens: 3 } };

describe('usage that a provider does not report', () => {
  test('is estimated before the end of a stream', () => {
    const usage = new UsageEstimate(() => 7);
    expect([...usage.read([START, DELTA]), ...usage.read([FINISH, END]), ...usage.rest()]).toEqual([
      START,
      DELTA,
      FINISH,
      ESTIMATED,
      END,
    ]);
  });

  test('is estimated behind a stream without an end of its own', () => {
    const usage = new UsageEstimate(() => 7);
    expect([...usage.read([START, DELTA, FINISH]), ...usage.rest()]).toEqual([START, DELTA, FINISH, ESTIMATED]);
  });

  test('is left alone where it is reported', () => {
    const usage = new UsageEstimate(() => 7);
    const chunks = [START, DELTA, FINISH, REPORTED, END];
    expect([...usage.read(chunks), ...usage.rest()]).toEqual(chunks);
  });

  test('is estimated for a whole response', () => {
    const result: CanonicalResult = {
      choices: [{ blocks: [{ type: 'text', text: 'twelve chars' }], finish: 'stop' }],
    };
    expect(withUsage(result, () => 7).usage).toEqual({ inputTokens: 7, outputTokens: 3 });
    const reported = { ...result, usage: { inputTokens: 1, outputTokens: 2 } };
    expect(withUsage(reported, () => 7)).toBe(reported);
  });
});
