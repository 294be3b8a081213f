import type { EjectionSettings } from '../../config/gateway-config.js';
import type { EjectionReason } from './ejections.js';

/** A difference of the average time to first byte that no client notices, in milliseconds. */
const MIN_SLOWER_MS = 100;

/** The recent calls of one of a model's deployments. */
export interface DeploymentStats {
  readonly id: string;
  readonly succeeded: number;
  readonly failed: number;
  /** Average time to first byte in milliseconds of those that succeeded. */
  readonly firstByte: number | undefined;
  readonly isEjected: boolean;
}

export interface Outlier {
  readonly id: string;
  readonly reason: EjectionReason;
}

type Rules = Pick<EjectionSettings, 'errorRate' | 'latencyFactor' | 'minCalls' | 'maxShare'>;

/**
 * Finds the deployments of one model that fail more often, or respond more slowly, than its others. Only those that had enough calls
 * are compared, each with all others that are not ejected. At least one deployment always stays, and at most `maxShare` are ejected.
 *
 * @returns those to eject now, the worst first
 */
export function findOutliers(all: readonly DeploymentStats[], rules: Rules): Outlier[] {
  const ejected = all.filter(({ isEjected }) => isEjected).length;
  const allowed = Math.min(all.length - 1, Math.floor(all.length * rules.maxShare)) - ejected;
  if (allowed <= 0) return [];
  const compared = all.filter((each) => !each.isEjected && callsOf(each) >= rules.minCalls);
  const found: (Outlier & { readonly excess: number })[] = [];
  for (const each of compared) {
    const others = compared.filter((other) => other !== each);
    if (others.length === 0) continue;
    const excess = errorRate([each]) - errorRate(others);
    if (rules.errorRate < 1 && excess > rules.errorRate) found.push({ id: each.id, reason: 'errors', excess });
    else if (rules.latencyFactor !== undefined && isSlow(each, others, rules.latencyFactor))
      found.push({ id: each.id, reason: 'latency', excess: 0 });
  }
  found.sort((first, second) => second.excess - first.excess);
  return found.slice(0, allowed).map(({ id, reason }) => ({ id, reason }));
}

function isSlow({ firstByte }: DeploymentStats, others: readonly DeploymentStats[], factor: number): boolean {
  const times = others.flatMap((other) => other.firstByte ?? []).sort((first, second) => first - second);
  const median = times[(times.length - 1) >> 1];
  if (firstByte === undefined || median === undefined) return false;
  return firstByte > median * factor && firstByte - median > MIN_SLOWER_MS;
}

function callsOf({ succeeded, failed }: DeploymentStats): number {
  return succeeded + failed;
}

function errorRate(stats: readonly DeploymentStats[]): number {
  const failed = stats.reduce((sum, each) => sum + each.failed, 0);
  const calls = stats.reduce((sum, each) => sum + callsOf(each), 0);
  return calls === 0 ? 0 : failed / calls;
}
