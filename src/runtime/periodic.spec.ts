import { Periodic } from './periodic.js';

const never = (error: unknown): void => {
  throw error;
};

/** Work whose runs end when the test says so. */
class HeldWork {
  begun = 0;
  private readonly releases: (() => void)[] = [];
  private readonly starts: (() => void)[] = [];
  readonly work = (): Promise<void> => {
    this.begun += 1;
    for (const start of this.starts.splice(0)) start();
    return new Promise((resolve) => this.releases.push(resolve));
  };
  nextStart(): Promise<void> {
    return new Promise((resolve) => this.starts.push(resolve));
  }
  release(): void {
    this.releases.shift()?.();
  }
}

describe('Periodic', () => {
  it('repeats, and never begins a run while one is in progress', async () => {
    const held = new HeldWork();
    const first = held.nextStart();
    const periodic = new Periodic(held.work, { intervalMs: 1, onError: never });
    await first;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(held.begun).toBe(1);
    const second = held.nextStart();
    held.release();
    await second;
    expect(held.begun).toBe(2);
    held.release();
    await periodic.stop();
  });

  it('runs at the start where that is asked for, and once for several calls of run', async () => {
    const held = new HeldWork();
    const periodic = new Periodic(held.work, { intervalMs: 60_000, onError: never, runsAtStart: true });
    expect(held.begun).toBe(1);
    const runs = [periodic.run(), periodic.run()];
    held.release();
    await Promise.all(runs);
    expect(held.begun).toBe(1);
    await periodic.stop();
  });

  it('goes on after an error, whether it was thrown or rejected', async () => {
    const errors: unknown[] = [];
    let runs = 0;
    const work = (): Promise<void> => {
      runs += 1;
      if (runs === 1) throw new Error('thrown');
      return runs === 2 ? Promise.reject(new Error('rejected')) : Promise.resolve();
    };
    const periodic = new Periodic(work, { intervalMs: 60_000, onError: (error) => errors.push(error) });
    for (let run = 0; run < 3; run += 1) await periodic.run();
    expect(errors.map(String)).toEqual(['Error: thrown', 'Error: rejected']);
    expect(runs).toBe(3);
    await periodic.stop();
  });

  it('waits at the stop for the run in progress, and begins none after it', async () => {
    const held = new HeldWork();
    const periodic = new Periodic(held.work, { intervalMs: 1, onError: never, runsAtStart: true });
    let isStopped = false;
    const stopped = periodic.stop().then(() => (isStopped = true));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(isStopped).toBe(false);
    held.release();
    await stopped;
    await periodic.run();
    expect(held.begun).toBe(1);
  });
});
