import fc from 'fast-check';
import { isoSeconds, queryTime } from './query-time.js';

describe('times of reports', () => {
  it.each([
    ['1795392000', 1_795_392_000],
    ['2026-11-23', Date.UTC(2026, 10, 23) / 1_000],
    ['2026-11-23T08:30:00Z', Date.UTC(2026, 10, 23, 8, 30) / 1_000],
    ['2026-11-23T08:30+01:00', Date.UTC(2026, 10, 23, 7, 30) / 1_000],
    ['2026-11-23T08:30 01:00', Date.UTC(2026, 10, 23, 7, 30) / 1_000],
    ['2026-11-23T08:30:00.999Z', Date.UTC(2026, 10, 23, 8, 30) / 1_000],
  ])('%s', (text, seconds) => {
    expect(queryTime(text)).toBe(seconds);
  });

  it.each(['yesterday', '2026-13-01', '2026-11-23T08:30', '-5', '1e9', '', '23.11.2026'])(
    'leaves %j for the validator',
    (text) => {
      expect(queryTime(text)).toBe(text);
    },
  );

  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        expect(queryTime(isoSeconds(seconds))).toBe(seconds);
      }),
    );
  });
});
