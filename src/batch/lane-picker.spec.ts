import type { JobGate } from './control/job-gate.js';
import { LanePicker } from './lane-picker.js';
import { laneGroup } from './lanes.js';
import type { ReadyLane, ReadyLanes } from './ready-lanes.js';
import type { ModelRoom } from './model-room.js';
import type { OutcomeWriter } from './outcome-writer.js';
import { ReturningTasks } from './returning-tasks.js';

const ROOM = 32;
const EMPTY = { perKey: new Map(), perModel: new Map(), perGroup: new Map() };

/** A picker over lanes that are found by group in the order of names, as in the database; some groups have nothing left to take. */
function pickerOf(
  lanes: readonly ReadyLane[],
  emptyGroups: readonly string[] = [],
  returning = new ReturningTasks(),
): LanePicker {
  const names = [...new Set([...lanes.map(({ group }) => group), ...emptyGroups])].sort();
  const fakeLanes = {
    groups: (after: string, limit: number) => Promise.resolve(names.filter((name) => name > after).slice(0, limit)),
    ready: (groups: readonly string[], perGroup: number) =>
      Promise.resolve(groups.flatMap((name) => lanes.filter(({ group }) => group === name).slice(0, perGroup))),
  };
  const fakeRoom = { nameOf: (model: string) => model, ofModel: () => ROOM, ofGroup: () => ROOM };
  const fakeGate = { isBlocked: () => false };
  return new LanePicker(
    fakeLanes as unknown as ReadyLanes,
    fakeRoom as unknown as ModelRoom,
    fakeGate as unknown as JobGate,
    { returning } as unknown as OutcomeWriter,
  );
}

function laneOf(key: string, job: string, waiting = 1_000): ReadyLane {
  return { jobId: job, model: 'm', keyId: key, group: laneGroup(key, 'm'), priority: 'normal', waiting };
}

const sumOf = (shares: readonly { count: number }[]): number => shares.reduce((sum, { count }) => sum + count, 0);

describe('LanePicker', () => {
  const lanes = Array.from({ length: 40 }, (_, index) => laneOf(`key_${index % 4}`, `job_${index}`));

  it('takes a few tasks of many lanes while tasks are long, and many of a few while they are short', async () => {
    const long = await pickerOf(lanes).pick({ slots: 32, ahead: 0, load: EMPTY, onlyIdle: false });
    expect([long.length, sumOf(long)]).toEqual([32, 32]);
    const short = await pickerOf(lanes).pick({ slots: 32, ahead: 32, load: EMPTY, onlyIdle: false });
    expect([short.length, sumOf(short)]).toEqual([4, 32]);
  });

  it('takes nothing of a job whose tasks are on their way back to their lane', async () => {
    const returning = new ReturningTasks();
    const picker = pickerOf(lanes.slice(0, 2), [], returning);
    returning.add({ jobId: 'job_0', isReleased: true });
    const pick = (): Promise<readonly { jobId: string }[]> =>
      picker.pick({ slots: 4, ahead: 0, load: EMPTY, onlyIdle: false });
    expect((await pick()).map(({ jobId }) => jobId)).toEqual(['job_1']);
    returning.stored({ jobId: 'job_0', isReleased: true });
    expect((await pick()).map(({ jobId }) => jobId).sort()).toEqual(['job_0', 'job_1']);
  });

  it('comes to every key and job in turn while tasks are short', async () => {
    const picker = pickerOf(lanes);
    const jobs = new Set<string>();
    for (let claim = 0; claim < 400; claim += 1) {
      for (const { jobId } of await picker.pick({ slots: 32, ahead: 32, load: EMPTY, onlyIdle: false }))
        jobs.add(jobId);
    }
    expect(jobs.size).toBe(lanes.length);
  });

  it.each([10, 60, 400])('finds the one lane behind %d groups of which nothing can be taken', async (count) => {
    const empty = Array.from({ length: count }, (_, index) => laneGroup(`empty_${index}`, 'm'));
    const picker = pickerOf([laneOf('last', 'job')], empty);
    let shares: readonly { count: number }[] = [];
    let picks = 0;
    while (sumOf(shares) === 0 && picks < 10) {
      shares = await picker.pick({ slots: 64, ahead: 32, load: EMPTY, onlyIdle: false });
      picks += 1;
    }
    expect(sumOf(shares)).toBeGreaterThan(0);
    expect(picks).toBeLessThanOrEqual(Math.ceil(count / 150));
  });
});
