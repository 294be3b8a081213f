import type { Deployment } from '../resolved-model.js';

/** Why a deployment is ejected. */
export type EjectionReason = 'errors' | 'latency';

/** One ejection. Times are those of a monotonic clock in milliseconds. */
interface Ejection {
  until: number;
  /** How often in a row, by which its time grows. */
  times: number;
  isOver: boolean;
}

/** How long an ejection lasts. */
export interface EjectionTimes {
  /** Milliseconds of the first ejection; each further one doubles it. */
  readonly firstTime: number;
  /** Milliseconds. */
  readonly maxTime: number;
}

/**
 * The deployments that are worse than the others of a model, and are tried after them for a while. They are never left out, so a
 * model always keeps all its deployments. Times are those of a monotonic clock in milliseconds.
 */
export class Ejections {
  /** Ejections by model, then by deployment. */
  private readonly byModel = new Map<string, Map<string, Ejection>>();
  /** How often a deployment was ejected, by its id and the reason. */
  readonly counts = new Map<string, Record<EjectionReason, number>>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** The same deployments, with those that are ejected from the model last. */
  toEnd(modelId: string, ordered: readonly Deployment[]): readonly Deployment[] {
    if (this.byModel.size === 0) return ordered;
    const ejected = this.byModel.get(modelId);
    if (ejected === undefined) return ordered;
    const isLast = ({ id }: Deployment): boolean => this.isActive(ejected.get(id));
    if (!ordered.some(isLast)) return ordered;
    return [...ordered.filter((each) => !isLast(each)), ...ordered.filter(isLast)];
  }

  has(modelId: string, deploymentId: string): boolean {
    return this.isActive(this.byModel.get(modelId)?.get(deploymentId));
  }

  /** Milliseconds for which it is ejected from a model; 0 when it is not. */
  left(modelId: string, deploymentId: string): number {
    const { until = 0 } = this.byModel.get(modelId)?.get(deploymentId) ?? {};
    return Math.max(0, until - this.now());
  }

  /** Milliseconds until no model has it ejected; 0 when none has. */
  longestLeft(deploymentId: string): number {
    let longest = 0;
    for (const modelId of this.byModel.keys()) longest = Math.max(longest, this.left(modelId, deploymentId));
    return longest;
  }

  /** Milliseconds since its last ejection from a model ended; Infinity where there was none. */
  sinceEnd(modelId: string, deploymentId: string): number {
    const ejection = this.byModel.get(modelId)?.get(deploymentId);
    return ejection === undefined ? Infinity : Math.max(0, this.now() - ejection.until);
  }

  /** Ejects a deployment from a model. The time grows where it was ejected not long ago. */
  eject(modelId: string, deploymentId: string, reason: EjectionReason, { firstTime, maxTime }: EjectionTimes): void {
    let ofModel = this.byModel.get(modelId);
    if (ofModel === undefined) this.byModel.set(modelId, (ofModel = new Map<string, Ejection>()));
    const times = (ofModel.get(deploymentId)?.times ?? 0) + 1;
    const duration = Math.min(maxTime, firstTime * 2 ** Math.min(30, times - 1));
    ofModel.set(deploymentId, { until: this.now() + duration, times, isOver: false });
    const counts = this.counts.get(deploymentId) ?? { errors: 0, latency: 0 };
    counts[reason] += 1;
    this.counts.set(deploymentId, counts);
  }

  /**
   * Forgets ejections that ended longer ago than `memoryMs`, and those of models that are gone.
   *
   * @returns ids of deployments whose ejection has ended since the last call
   */
  sweep(isKnown: (modelId: string) => boolean, memoryMs: number): string[] {
    const ended: string[] = [];
    const now = this.now();
    for (const [modelId, ofModel] of this.byModel) {
      for (const [id, ejection] of ofModel) {
        if (!ejection.isOver && ejection.until <= now) {
          ejection.isOver = true;
          ended.push(id);
        }
        if (!isKnown(modelId) || ejection.until + memoryMs <= now) ofModel.delete(id);
      }
      if (ofModel.size === 0) this.byModel.delete(modelId);
    }
    return ended;
  }

  private isActive(ejection: Ejection | undefined): boolean {
    return ejection !== undefined && ejection.until > this.now();
  }
}
