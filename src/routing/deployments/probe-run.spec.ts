import fc from 'fast-check';
import { mapErrorResponse } from '../../wire/errors/map-error.js';
import { redactor } from '../../wire/errors/redact.js';
import { invalidRequest, upstreamError } from '../../errors/gateway-error.js';
import { phaseTimeout, transportError } from '../../providers/transport/transport-error.js';
import { ProbeRun, probeResultOf } from './probe-run.js';

describe('ProbeRun', () => {
  it('says nothing of an outage that the list of models does not show', () => {
    expect(new ProbeRun('models', 0).next('well', 10)).toEqual({ kind: 'stop' });
    expect(new ProbeRun('models', 0).next('unknown', 10)).toEqual({ kind: 'stop' });
  });

  it('holds trials back while tests fail, and allows one when a test succeeds', () => {
    const run = new ProbeRun('models', 0);
    expect(run.next('unwell', 10)).toMatchObject({ kind: 'again', afterMs: 1_000 });
    expect(run.next('unwell', 30_000)).toMatchObject({ kind: 'again', afterMs: 3_000 });
    expect(run.next('well', 33_000)).toEqual({ kind: 'trial' });
  });

  it('closes the breaker after a real request only where one has failed before', () => {
    expect(new ProbeRun('request', 0).next('well', 1_000)).toEqual({ kind: 'trial' });
    const run = new ProbeRun('request', 0);
    run.next('unwell', 1_000);
    expect(run.next('well', 2_000)).toEqual({ kind: 'close' });
  });

  it('holds trials back for a minute at most, and for 9 s where no test has succeeded yet', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 600_000 }), fc.boolean(), (age, isProven) => {
        const next = new ProbeRun('models', 0, isProven).next('unwell', age);
        expect(next.kind).toBe('again');
        if (next.kind !== 'again') return;
        const longest = isProven ? 60_000 : 9_000;
        expect(next.holdMs > 0).toBe(age < longest);
        if (next.holdMs > 0) expect(age + next.holdMs).toBeLessThanOrEqual(longest);
        expect(next.afterMs).toBeGreaterThanOrEqual(1_000);
        expect(next.afterMs).toBeLessThanOrEqual(30_000);
      }),
    );
  });
});

describe('probeResultOf', () => {
  const answered = (status: number, body = '{}') => {
    const redact = redactor({ apiKey: 'k', baseUrl: 'http://a.example', headers: {} });
    return probeResultOf(mapErrorResponse(status, {}, body, redact, 0));
  };

  it('takes silence and a failing server as unwell', () => {
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    expect([
      probeResultOf(transportError(new Error('refused'), 'connect', false)),
      probeResultOf(transportError(reset, 'firstByte', false)),
      probeResultOf(phaseTimeout('firstByte', 1_000)),
      probeResultOf(new DOMException('late', 'TimeoutError')),
      answered(500),
      answered(503),
    ]).toEqual(Array.from({ length: 6 }, () => 'unwell'));
  });

  it('learns nothing from other responses', () => {
    expect([
      answered(404),
      answered(401),
      answered(429),
      probeResultOf(invalidRequest('no', null)),
      probeResultOf(upstreamError({ message: 'The upstream provider gave no list of models.' })),
      probeResultOf(new TypeError('bug')),
    ]).toEqual(Array.from({ length: 6 }, () => 'unknown'));
  });
});
