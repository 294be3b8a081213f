import { isObject, type JsonObject } from '../../runtime/json-value.js';

/** Milliseconds between two lines of progress that is not shown in a terminal. */
const LINE_INTERVAL_MS = 10_000;
/** Fewest and most columns of the bar itself. */
const MIN_BAR_COLUMNS = 8;
const MAX_BAR_COLUMNS = 40;
const DEFAULT_COLUMNS = 80;

/** Where progress is shown. */
export interface ProgressTarget {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** The counts of a job, from its status. */
export interface JobCounts {
  readonly status: string;
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly expired: number;
  /** Why it waits, if it does. */
  readonly waitsFor: string | undefined;
  /** Unix seconds. */
  readonly waitsUntil: number | undefined;
}

export function countsOf(job: JsonObject): JobCounts {
  const count = (name: string): number => (typeof job[name] === 'number' ? job[name] : 0);
  const control = isObject(job['control']) ? job['control'] : {};
  const { waiting_for: reason, waiting_until: until } = control;
  return {
    status: String(job['status']),
    total: count('task_count'),
    succeeded: count('completed_count'),
    failed: count('failed_count'),
    cancelled: count('cancelled_count'),
    expired: count('expired_count'),
    waitsFor: typeof reason === 'string' ? reason : job['paused_at'] == null ? undefined : 'paused',
    waitsUntil: typeof until === 'number' ? until : undefined,
  };
}

export function endedOf({ succeeded, failed, cancelled, expired }: JobCounts): number {
  return succeeded + failed + cancelled + expired;
}

/** Shows how far a job is: a bar in a terminal, otherwise a line now and then. */
export class Progress {
  private readonly startedAt: number;
  private readonly startedWith: number;
  private shownAt = -Infinity;
  private shown = '';

  constructor(
    private readonly target: ProgressTarget,
    first: JobCounts,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.startedAt = now();
    this.startedWith = endedOf(first);
  }

  show(counts: JobCounts): void {
    if (this.target.isTTY === true) {
      this.target.write(`\r${barOf(counts, this.rate(counts), this.target.columns ?? DEFAULT_COLUMNS)}\u001b[K`);
      return;
    }
    const line = lineOf(counts);
    if (line === this.shown || this.now() - this.shownAt < LINE_INTERVAL_MS) return;
    this.print(line);
  }

  /** Shows the last state, and ends the line. */
  end(counts: JobCounts): void {
    if (this.target.isTTY === true) {
      this.show(counts);
      this.target.write('\n');
    } else if (lineOf(counts) !== this.shown) this.print(lineOf(counts));
  }

  private print(line: string): void {
    this.shown = line;
    this.shownAt = this.now();
    this.target.write(`${line}\n`);
  }

  /** Tasks a second since it is watched; undefined as long as none has ended. */
  private rate(counts: JobCounts): number | undefined {
    const seconds = (this.now() - this.startedAt) / 1_000;
    const ended = endedOf(counts) - this.startedWith;
    return ended > 0 && seconds > 0.5 ? ended / seconds : undefined;
  }
}

/** `completed 7/10, 2 failed`. */
export function lineOf(counts: JobCounts): string {
  return [`${counts.status} ${endedOf(counts)}/${counts.total}`, ...remarksOf(counts)].join(', ');
}

/** One line of at most `columns` - 1 characters: what does not fit is left out, the least important first. */
export function barOf(counts: JobCounts, rate: number | undefined, columns: number): string {
  const ended = endedOf(counts);
  const part = counts.total === 0 ? 0 : ended / counts.total;
  const percent = `${String(Math.floor(part * 100)).padStart(3)}%`;
  const isOver = ['completed', 'failed', 'cancelled', 'expired'].includes(counts.status);
  const left = rate === undefined || isOver ? undefined : durationOf((counts.total - ended) / rate);
  const parts = [
    `${ended}/${counts.total}`,
    ...remarksOf(counts),
    ...(isOver ? [counts.status] : []),
    ...(rate === undefined || isOver ? [] : [`${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`]),
    ...(left === undefined ? [] : [`${left} left`]),
  ];
  const room = Math.max(1, columns - 1);
  const used = (): number => percent.length + parts.reduce((sum, each) => sum + each.length + 2, 0);
  while (parts.length > 1 && used() + MIN_BAR_COLUMNS + 3 > room) parts.pop();
  const width = Math.min(MAX_BAR_COLUMNS, room - used() - 3);
  const bar = width >= MIN_BAR_COLUMNS ? `[${'#'.repeat(Math.round(part * width)).padEnd(width, '-')}] ` : '';
  return `${bar}${percent}  ${parts.join('  ')}`.slice(0, room);
}

function remarksOf({ failed, cancelled, expired, waitsFor, waitsUntil }: JobCounts): string[] {
  const remarks = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(cancelled > 0 ? [`${cancelled} cancelled`] : []),
    ...(expired > 0 ? [`${expired} expired`] : []),
  ];
  if (waitsFor !== undefined) {
    const until = waitsUntil === undefined ? '' : ` until ${new Date(waitsUntil * 1_000).toISOString().slice(0, 16)}Z`;
    if (waitsFor !== 'rate') remarks.push(waitsFor === 'paused' ? 'paused' : `waits${until}`);
  }
  return remarks;
}

function durationOf(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)}s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes}m` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}
