import { laneGroup } from './lanes.js';
import type { HeldLoad } from './lane-picker.js';
import type { ClaimedJob, ClaimedTask } from './claimed-tasks.js';
import type { TaskOutcome } from './task-outcomes.js';

/** A claimed task, with what is needed to run it. */
export interface HeldTask extends ClaimedTask {
  readonly claimId: string;
  readonly job: ClaimedJob;
  /** Its own, or its job's. */
  readonly model: string;
  /** The model name under which it is counted. */
  readonly modelName: string;
  /** Claimed beyond the slots, because no task of its key for its model was running. */
  readonly isExtra: boolean;
  readonly controller: AbortController;
}

/** The tasks of this process: those in flight, and those that are claimed and wait for a slot. */
export class HeldTasks implements HeldLoad {
  readonly running = new Set<HeldTask>();
  readonly ready: HeldTask[] = [];
  /** Outcomes of tasks that were in flight, until they are stored. */
  readonly storing = new Set<TaskOutcome>();
  readonly perKey = new Map<string, number>();
  readonly perModel = new Map<string, number>();
  readonly perGroup = new Map<string, number>();
  private readonly runningPerModel = new Map<string, number>();
  private readonly runningPerGroup = new Map<string, number>();
  private readonly runningPerJob = new Map<string, number>();
  private extra = 0;

  get size(): number {
    return this.running.size + this.ready.length;
  }

  /** Tasks held beyond the slots. */
  get extraCount(): number {
    return this.extra;
  }

  runningOfModel(name: string): number {
    return this.runningPerModel.get(name) ?? 0;
  }

  runningOfGroup(group: string): number {
    return this.runningPerGroup.get(group) ?? 0;
  }

  runningOfJob(jobId: string): number {
    return this.runningPerJob.get(jobId) ?? 0;
  }

  jobIds(): string[] {
    const ids = new Set<string>();
    for (const { jobId } of this.running) ids.add(jobId);
    for (const { jobId } of this.ready) ids.add(jobId);
    return [...ids];
  }

  add(task: HeldTask): void {
    this.ready.push(task);
    this.count(task, 1);
  }

  removeReady(task: HeldTask): void {
    const position = this.ready.indexOf(task);
    if (position === -1) return;
    this.ready.splice(position, 1);
    this.count(task, -1);
  }

  /** Removes the ready tasks that meet the condition. */
  takeReady(condition: (task: HeldTask) => boolean): HeldTask[] {
    const taken = this.ready.filter(condition);
    for (const task of taken) this.removeReady(task);
    return taken;
  }

  begin(task: HeldTask): void {
    this.running.add(task);
    this.count(task, 1);
    change(this.runningPerModel, task.modelName, 1);
    change(this.runningPerGroup, groupOf(task), 1);
    change(this.runningPerJob, task.jobId, 1);
  }

  end(task: HeldTask): void {
    if (!this.running.delete(task)) return;
    this.count(task, -1);
    change(this.runningPerModel, task.modelName, -1);
    change(this.runningPerGroup, groupOf(task), -1);
    change(this.runningPerJob, task.jobId, -1);
  }

  private count(task: HeldTask, by: 1 | -1): void {
    change(this.perKey, task.job.keyId, by);
    change(this.perModel, task.modelName, by);
    change(this.perGroup, groupOf(task), by);
    if (task.isExtra) this.extra += by;
  }
}

/** The key and the model of a task, between whose groups slots are shared. */
export function groupOf({ job, modelName }: HeldTask): string {
  return laneGroup(job.keyId, modelName);
}

function change(counts: Map<string, number>, name: string, by: number): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}
