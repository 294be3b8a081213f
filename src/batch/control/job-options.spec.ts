import { limitsOf, maxClaimOf, timeStateOf, type JobOptions } from './job-options.js';

const at = (text: string): number => Date.parse(text);

function limits(options: JobOptions): NonNullable<ReturnType<typeof limitsOf>> {
  const found = limitsOf(options);
  if (found === undefined) throw new Error('no limits');
  return found;
}

describe('the limits of a job', () => {
  it.each([null, {}, { dedupe: true, order: 'prefix' as const }, { windows: [] }, { retry_of: 'batch_1' }])(
    'there are none in %j',
    (options) => {
      expect(limitsOf(options)).toBeUndefined();
    },
  );

  it.each<[options: JobOptions, most: number | null]>([
    [{ concurrency: 3 }, 6],
    [{ rate: { requests_per_minute: 60 } }, 1],
    [{ rate: { requests_per_minute: 601 } }, 11],
    [{ rate: { tokens_per_minute: 60 } }, 8],
    [{ max_cost_usd: 1, concurrency: 100 }, 8],
    [{ not_before: 1 }, null],
  ])('of %j a claim takes %p at most', (options, most) => {
    expect(maxClaimOf(limits(options))).toBe(most);
  });

  it.each<[options: JobOptions, now: string, state: object]>([
    [
      { not_before: at('2026-11-28T12:00:00Z') / 1_000 },
      '2026-11-28T11:00:00Z',
      { mayStart: false, reason: 'not_before' },
    ],
    [{ not_before: at('2026-11-28T12:00:00Z') / 1_000 }, '2026-11-28T12:00:00Z', { mayStart: true, until: Infinity }],
    [
      { not_before: at('2026-11-28T12:00:00Z') / 1_000, windows: ['14:00-15:00'] },
      '2026-11-28T11:00:00Z',
      { mayStart: false, reason: 'not_before', until: at('2026-11-28T14:00:00Z') },
    ],
    [
      { not_before: at('2026-11-28T14:10:00Z') / 1_000, windows: ['14:00-15:00'] },
      '2026-11-28T11:00:00Z',
      { mayStart: false, reason: 'not_before', until: at('2026-11-28T14:10:00Z') },
    ],
    [
      { windows: ['14:00-15:00', '16:00-17:00'] },
      '2026-11-28T15:00:00Z',
      { mayStart: false, reason: 'window', until: at('2026-11-28T16:00:00Z') },
    ],
    [
      { windows: ['14:00-15:00', '15:00-17:00'] },
      '2026-11-28T14:30:00Z',
      { mayStart: true, until: at('2026-11-28T17:00:00Z') },
    ],
    // A time zone that another version of Node knows.
    [{ windows: ['14:00-15:00 Mars/Olympus'] }, '2026-11-28T14:30:00Z', { mayStart: false, until: Infinity }],
  ])('%j at %s: %j', (options, now, state) => {
    expect(timeStateOf(limits(options), at(now))).toMatchObject(state);
  });
});
