import fc from 'fast-check';
import { parseRunWindow, windowState, type RunWindow } from './run-windows.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
];

function windowOf(text: string): RunWindow {
  const window = parseRunWindow(text);
  if (typeof window === 'string') throw new Error(`${text} ${window}`);
  return window;
}
const at = (text: string): number => Date.parse(text);

/** By another way than the code: the local time as Intl prints it. */
function isOpenBy(start: number, end: number, days: readonly number[], zone: string, instant: number): boolean {
  const shown = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(instant);
  const [, day = '', hour = '', minute = ''] = /^(\w+),? (\d+):(\d+)$/.exec(shown) ?? [];
  const weekday = DAYS.indexOf(day);
  const now = Number(hour) * 60 + Number(minute);
  if (start < end) return days.includes(weekday) && now >= start && now < end;
  return (days.includes(weekday) && now >= start) || (days.includes((weekday + 6) % 7) && now < end);
}

const clockText = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

describe('windows of a job', () => {
  it.each([
    ['22:00-06:00 Europe/Berlin', '2026-11-28T20:59:59Z', false, '2026-11-28T21:00:00Z'],
    ['22:00-06:00 Europe/Berlin', '2026-11-28T21:00:00Z', true, '2026-11-29T05:00:00Z'],
    ['09:00-17:00', '2026-11-28T08:00:00Z', false, '2026-11-28T09:00:00Z'],
    ['Mon-Fri 09:00-17:00', '2026-11-28T10:00:00Z', false, '2026-11-30T09:00:00Z'],
    ['Fri 22:00-06:00 UTC', '2026-11-28T05:00:00Z', true, '2026-11-28T06:00:00Z'],
    ['sat,sun 00:00-24:00 Asia/Kathmandu', '2026-11-27T18:14:00Z', false, '2026-11-27T18:15:00Z'],
    ['Sat-Mon 10:00-11:00', '2026-11-28T11:00:00Z', false, '2026-11-29T10:00:00Z'],
    // Summer time begins on 29 March 2026 at 01:00 UTC in Berlin: 02:00 to 03:00 are not on the clock.
    ['02:30-03:30 Europe/Berlin', '2026-03-29T00:59:00Z', false, '2026-03-29T01:00:00Z'],
    ['02:30-03:30 Europe/Berlin', '2026-03-29T01:00:00Z', true, '2026-03-29T01:30:00Z'],
    ['Sun 02:15-02:45 Europe/Berlin', '2026-03-28T12:00:00Z', false, '2026-04-05T00:15:00Z'],
    // It ends on 25 October 2026 at 01:00 UTC: 02:00 to 03:00 are there twice.
    ['02:00-03:00 Europe/Berlin', '2026-10-24T23:59:00Z', false, '2026-10-25T00:00:00Z'],
    ['02:00-03:00 Europe/Berlin', '2026-10-25T00:30:00Z', true, '2026-10-25T02:00:00Z'],
    ['02:15-02:45 Europe/Berlin', '2026-10-25T00:50:00Z', false, '2026-10-25T01:15:00Z'],
  ])('%s at %s: open %p, until %s', (text, instant, isOpen, change) => {
    expect(windowState([windowOf(text)], at(instant))).toEqual({ isOpen, changesAt: at(change) });
  });

  it('several windows are open together, and one that is always open never changes', () => {
    const both = [windowOf('10:00-12:00'), windowOf('11:00-13:00 UTC')];
    expect(windowState(both, at('2026-11-28T10:30:00Z'))).toEqual({
      isOpen: true,
      changesAt: at('2026-11-28T13:00:00Z'),
    });
    expect(windowState([windowOf('00:00-24:00')], at('2026-11-28T10:30:00Z'))).toEqual({
      isOpen: true,
      changesAt: undefined,
    });
  });

  it.each([
    ['22-6', 'must be a time of day'],
    ['', 'must be a time of day'],
    ['25:00-26:00', 'from 00:00 to 24:00'],
    ['10:60-11:00', 'from 00:00 to 24:00'],
    ['24:00-01:00', 'from 00:00 to 24:00'],
    ['10:00-10:00', 'begins when it ends'],
    ['Foo 10:00-11:00', 'days that are none'],
    ['Mon-Tue-Wed 10:00-11:00', 'days that are none'],
    ['10:00-11:00 Mars/Olympus', "unknown time zone 'Mars/Olympus'"],
  ])('%p is refused: %s', (text, fault) => {
    expect(parseRunWindow(text)).toContain(fault);
  });

  it('open and closed follow the local clock in any zone and across changes of its offset', () => {
    // Around changes of Berlin, New York and Lord Howe, of half an hour, and on any day.
    const moments = [at('2026-03-29T01:00:00Z'), at('2026-10-25T01:00:00Z'), at('2026-03-08T07:00:00Z')].concat(
      at('2026-04-04T15:00:00Z'),
      at('2026-10-03T15:30:00Z'),
    );
    const instant = fc.oneof(
      fc
        .tuple(fc.constantFrom(...moments), fc.integer({ min: -36 * 60, max: 36 * 60 }))
        .map(([moment, minutes]) => moment + minutes * MINUTE_MS),
      fc
        .integer({ min: at('2025-01-01T00:00:00Z') / MINUTE_MS, max: at('2028-01-01T00:00:00Z') / MINUTE_MS })
        .map((minutes) => minutes * MINUTE_MS),
    );
    const days = fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 });
    const window = fc
      .record({ start: fc.integer({ min: 0, max: 1_439 }), end: fc.integer({ min: 0, max: 1_440 }), days })
      .filter(({ start, end }) => start !== end);
    fc.assert(
      fc.property(instant, window, fc.constantFrom(...ZONES), (now, { start, end, days: on }, zone) => {
        const text = `${on.map((day) => DAYS[day]).join(',')} ${clockText(start)}-${clockText(end)} ${zone}`;
        const { isOpen, changesAt } = windowState([windowOf(text)], now);
        const expected = (moment: number): boolean => isOpenBy(start, end, on, zone, moment);
        expect(isOpen).toBe(expected(now));
        if (changesAt === undefined) return;
        expect(changesAt).toBeGreaterThan(now);
        expect(expected(changesAt)).toBe(!isOpen);
        expect(expected(changesAt - 1)).toBe(isOpen);
        // It did not change earlier.
        const step = Math.max(MINUTE_MS, Math.floor((changesAt - now) / 40));
        for (let moment = now; moment < changesAt; moment += step) expect(expected(moment)).toBe(isOpen);
        for (let hour = 1; hour < 4 && now + hour * HOUR_MS < changesAt; hour += 1) {
          expect(expected(now + hour * HOUR_MS - MINUTE_MS)).toBe(isOpen);
        }
      }),
      { numRuns: 200 },
    );
  });
});
