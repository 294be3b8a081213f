import { ReturningTasks } from './returning-tasks.js';

const back = { jobId: 'a', isReleased: true } as const;

describe('tasks on their way back to their lane', () => {
  it('hold back their job until all of them are stored', () => {
    const tasks = new ReturningTasks();
    tasks.add(back);
    tasks.add(back);
    tasks.add({ jobId: 'b' });
    expect([tasks.isReturning('a'), tasks.isReturning('b')]).toEqual([true, false]);
    tasks.stored(back);
    tasks.stored({ jobId: 'a' });
    expect(tasks.isReturning('a')).toBe(true);
    tasks.stored(back);
    expect(tasks.isReturning('a')).toBe(false);
  });

  it('are known for the claim that began before, also once they are stored', () => {
    const tasks = new ReturningTasks();
    tasks.add(back);
    tasks.beginClaim();
    expect(tasks.hasReturned('a')).toBe(true);
    tasks.stored(back);
    expect(tasks.hasReturned('a')).toBe(false);
    tasks.add(back);
    tasks.stored(back);
    expect([tasks.isReturning('a'), tasks.hasReturned('a')]).toEqual([false, true]);
    tasks.beginClaim();
    expect(tasks.hasReturned('a')).toBe(false);
  });
});
