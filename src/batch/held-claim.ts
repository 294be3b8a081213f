import type { LaneTasks } from './lanes.js';
import type { ClaimedTask } from './claimed-tasks.js';

type TaskKey = Pick<ClaimedTask, 'jobId' | 'taskIndex'>;

/** A task, and the lane that it came from. */
export type HeldTaskKey = Pick<ClaimedTask, 'jobId' | 'taskIndex' | 'lane'>;

/** A claim of this process: the tasks that it still holds, and the version of its row. */
export class HeldClaim {
  private readonly tasks = new Map<string, HeldTaskKey>();

  constructor(
    readonly id: string,
    tasks: Iterable<HeldTaskKey>,
    public version = 0,
  ) {
    for (const task of tasks) this.tasks.set(keyOf(task), task);
  }

  get isEmpty(): boolean {
    return this.tasks.size === 0;
  }

  remove(task: TaskKey): void {
    this.tasks.delete(keyOf(task));
  }

  /** The rest without some tasks, in the form of the row. */
  without(ended: Iterable<TaskKey>): LaneTasks[] {
    const gone = new Set<string>();
    for (const task of ended) gone.add(keyOf(task));
    const lanes = new Map<string, { jobId: string; model: string; indexes: number[] }>();
    for (const [key, { jobId, lane: model, taskIndex }] of this.tasks) {
      if (gone.has(key)) continue;
      const name = `${jobId} ${model}`;
      const lane = lanes.get(name) ?? { jobId, model, indexes: [] };
      lane.indexes.push(taskIndex);
      lanes.set(name, lane);
    }
    return [...lanes.values()].map((lane) => ({ ...lane, nextIndex: 0, endIndex: 0 }));
  }
}

function keyOf({ jobId, taskIndex }: TaskKey): string {
  return `${jobId}/${taskIndex}`;
}
