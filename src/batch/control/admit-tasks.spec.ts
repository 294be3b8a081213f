import { array, assert, boolean, constant, integer, oneof, option, property, record } from 'fast-check';
import { boundNanoDollars } from '../../runtime/nano-dollars.js';
import { admitTasks, type JobRoom, type SizedLine } from './admit-tasks.js';
import { RateWindow } from './minute-rate.js';

const NOW = 1_700_000_000_000;

const cost = integer({ min: 0, max: 100 }).map(boundNanoDollars);
const lines = array(record({ tokens: integer({ min: 1, max: 50 }), mostCost: oneof(cost, constant(null)) }), {
  maxLength: 12,
}).map((all) => all.map((each, taskIndex): SizedLine => ({ ...each, taskIndex, lane: 'm' })));
const room = record({
  maxCost: option(cost, { nil: undefined }),
  spent: integer({ min: 0, max: 60 }),
  reserved: integer({ min: 0, max: 60 }),
  places: oneof(constant(Infinity), integer({ min: 0, max: 8 })),
  hasRate: boolean(),
}).map(({ hasRate, ...each }): JobRoom => ({
  ...each,
  now: NOW,
  rate: hasRate ? new RateWindow({ requests: 240, tokens: 3_000 }, []) : undefined,
}));

describe('admitTasks', () => {
  it('starts tasks in their order, within the places and what is left to spend', () => {
    assert(
      property(lines, room, (claimed, left) => {
        const { verdicts, admitted } = admitTasks(claimed, left);
        expect(verdicts).toHaveLength(claimed.length);
        const started = claimed.filter((_, index) => verdicts[index] === 'start');
        expect(admitted.map(({ taskIndex }) => taskIndex)).toEqual(started.map(({ taskIndex }) => taskIndex));
        expect(started.length).toBeLessThanOrEqual(left.places);
        const most = admitted.reduce((sum, each) => sum + each.most, left.reserved + left.spent);
        if (started.length > 0) expect(most).toBeLessThanOrEqual(left.maxCost ?? Infinity);
        const firstWait = verdicts.indexOf('wait');
        if (firstWait >= 0) expect(verdicts.slice(firstWait)).not.toContain('start');
      }),
    );
  });

  it('refuses the tasks that can never run within max_cost_usd, and no other', () => {
    assert(
      property(lines, room, (claimed, left) => {
        const { verdicts } = admitTasks(claimed, left);
        for (const [index, { mostCost }] of claimed.entries()) {
          const isBeyond = left.maxCost !== undefined && (mostCost === null || left.spent + mostCost > left.maxCost);
          expect(typeof verdicts[index] === 'object').toBe(isBeyond);
        }
      }),
    );
  });

  it('is full where it has no place, and says until when the rate holds the next task', () => {
    const line = (taskIndex: number): SizedLine => ({ taskIndex, lane: 'm', tokens: 1, mostCost: boundNanoDollars(1) });
    const left: JobRoom = { now: NOW, maxCost: undefined, spent: 0, reserved: 0, places: 2, rate: undefined };
    expect(admitTasks([line(0), line(1), line(2)], left)).toMatchObject({
      verdicts: ['start', 'start', 'wait'],
      isFull: true,
      hold: undefined,
    });
    const rated = admitTasks([line(0), line(1)], { ...left, rate: new RateWindow({ requests: 1 }, []) });
    expect(rated).toMatchObject({ verdicts: ['start', 'wait'], isFull: false, hold: { reason: 'rate' } });
    expect(rated.hold?.until).toBeGreaterThan(NOW);
  });
});
