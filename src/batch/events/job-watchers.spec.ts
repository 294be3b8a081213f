import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Repository } from 'typeorm';
import type { BatchJob } from '../batch-job.entity.js';
import { type JobState, JobWatchers } from './job-watchers.js';

const tick = (milliseconds: number): Promise<void> => jest.advanceTimersByTimeAsync(milliseconds);

describe('the watchers of jobs', () => {
  let rows: BatchJob[];
  let queries: number;
  let fails: boolean;
  let watchers: JobWatchers;

  beforeEach(() => {
    jest.useFakeTimers();
    Logger.overrideLogger(false);
    queries = 0;
    fails = false;
    rows = ['batch_a', 'batch_b'].map(
      (id) => ({ id, status: 'in_progress', completedCount: 0, output: null }) as BatchJob,
    );
    const repository = {
      findBy: () => {
        queries += 1;
        if (fails) return Promise.reject(new Error('away'));
        return Promise.resolve(rows.map((row) => ({ ...row })));
      },
    };
    watchers = new JobWatchers(repository as unknown as Repository<BatchJob>);
  });
  afterEach(() => jest.useRealTimers());

  function watch(index: number, count: number): { states: (JobState | undefined)[]; stop: () => void } {
    const states: (JobState | undefined)[] = [];
    const stops = Array.from({ length: count }, () => {
      const row = rows[index];
      if (row === undefined) throw new Error('no such row');
      return watchers.watch({ ...row }, (state) => states.push(state)).stop;
    });
    return { states, stop: () => stops.forEach((stop) => stop()) };
  }
  function change(index: number, fields: Partial<BatchJob>): void {
    Object.assign(rows[index] ?? {}, fields);
  }

  it('ask once for all, and notify those of the job that changed', async () => {
    const [a, b] = [watch(0, 300), watch(1, 300)];
    await tick(500);
    expect([queries, a.states.length, b.states.length]).toEqual([1, 0, 0]);
    change(1, { completedCount: 5 });
    await tick(500);
    expect([queries, a.states.length, b.states.length]).toEqual([2, 0, 300]);
    change(1, { status: 'completed' });
    await tick(500);
    expect(b.states.at(-1)).toMatchObject({ hasEnded: true });
    a.stop();
    b.stop();
    await tick(60_000);
    expect([queries, watchers.size]).toEqual([3, 0]);
  });

  it('outlive a database that is away, and are notified of a job that is gone', async () => {
    const { states } = watch(0, 1);
    fails = true;
    await tick(2_000);
    expect(queries).toBe(4);
    fails = false;
    rows.shift();
    await tick(500);
    expect(states).toEqual([undefined]);
  });

  it('miss no change where one began with a state that another had seen change', async () => {
    const first = watch(0, 1);
    const [old] = rows.map((row) => ({ ...row }));
    change(0, { completedCount: 1 });
    await tick(500);
    expect(first.states).toHaveLength(1);
    const late: (JobState | undefined)[] = [];
    watchers.watch(old as BatchJob, (state) => late.push(state));
    await tick(500);
    expect(
      late.map((state) => (JSON.parse(state?.json ?? '{}') as { completed_count: number }).completed_count),
    ).toEqual([1]);
  });

  it('poll soon after a change of this process', async () => {
    watch(0, 1);
    watchers.changed(['batch_x']);
    await tick(60);
    expect(queries).toBe(0);
    watchers.changed(['batch_x', 'batch_a']);
    await tick(60);
    expect(queries).toBe(1);
  });
});
