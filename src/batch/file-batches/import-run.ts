import type { BatchJob } from '../batch-job.entity.js';
import { DuplicateFinder } from '../duplicates.js';
import { PrefixOrder } from '../submission/prefix-order.js';
import type { InputTask, LineFault } from './input-file.js';

/** Tasks of one transaction, and their characters. One task may be larger. */
const TASKS_PER_TRANSACTION = 500;
const CHARACTERS_PER_TRANSACTION = 2_000_000;

/** A fault of an input file that no line has alone. */
export class FileFault extends Error {
  constructor(readonly fault: LineFault) {
    super(fault.message);
    this.name = 'FileFault';
  }
}

/** What an import needs beside its tasks. */
export interface ImportOptions {
  /** Tasks that are stored already. */
  readonly stored: number;
  /** Most tasks that are kept in memory to be sorted. */
  readonly maxOrdered: number;
  readonly insert: (tasks: readonly InputTask[], firstIndex: number) => Promise<void>;
  /** Estimates the tokens of a task; undefined where they count against no allowance. */
  readonly tokensOf: ((task: InputTask) => Promise<number>) | undefined;
}

/** Gathers the tasks of an import for the database, without those that are stored already. */
export class ImportRun {
  /** Tasks so far, stored ones among them. */
  count = 0;
  /** Tokens of the tasks so far that run. */
  tokens = 0;
  readonly models = new Set<string>();
  /** Of a job whose tasks start in an order of their own. */
  prefixOrder: PrefixOrder | undefined;
  private readonly duplicates: DuplicateFinder | undefined;
  private tasks: InputTask[] = [];
  private characters = 0;

  constructor(
    readonly job: BatchJob,
    private readonly options: ImportOptions,
  ) {
    if (job.options?.dedupe === true) this.duplicates = new DuplicateFinder();
  }

  /** @throws FileFault */
  add(line: InputTask): Promise<void> | undefined {
    const { job, models } = this;
    // The job has the model of its first task.
    if (this.count === 0) job.model = line.model;
    this.count += 1;
    models.add(line.model);
    const task = this.duplicates?.mark(line) ?? line;
    this.sort(task);
    const { tokensOf } = this.options;
    return tokensOf === undefined || task.sameAs !== undefined ? this.store(task) : this.countTokens(task, tokensOf);
  }

  async flush(): Promise<void> {
    const { tasks } = this;
    if (tasks.length === 0) return;
    this.tasks = [];
    this.characters = 0;
    await this.options.insert(tasks, this.count - tasks.length);
  }

  private sort(task: InputTask): void {
    const { job, count } = this;
    const { maxOrdered } = this.options;
    if (job.options?.order !== 'prefix') return;
    if (count > maxOrdered) {
      const message = `With order 'prefix' a file has at most ${maxOrdered} requests. Split it, or leave order out.`;
      throw new FileFault({ code: 'too_many_tasks', line: null, message, param: 'order' });
    }
    this.prefixOrder ??= new PrefixOrder(job.model);
    this.prefixOrder.add([task]);
  }

  private async countTokens(task: InputTask, tokensOf: (task: InputTask) => Promise<number>): Promise<void> {
    this.tokens += await tokensOf(task);
    await this.store(task);
  }

  private store(task: InputTask): Promise<void> | undefined {
    if (this.count <= this.options.stored) return undefined;
    this.tasks.push(task);
    this.characters += task.request.length;
    const isFull = this.tasks.length === TASKS_PER_TRANSACTION || this.characters > CHARACTERS_PER_TRANSACTION;
    return isFull ? this.flush() : undefined;
  }
}
