import type { Deployments } from './deployments/deployments.service.js';
import type { Deployment, ResolvedModel } from './resolved-model.js';
import { hashText, orderBySession } from './session-hash.js';

/** Share of the requests that `fastest` sends to other deployments, to notice when another has become faster. */
const EXPLORE_SHARE = 0.05;

/** The session of a request, as its client names it. */
export interface RequestSession {
  /** The session that the client names; undefined where it names none. */
  readonly named: string | undefined;
  /** The text that all requests of a conversation share. It is computed only when it is needed, because it reads the prompt. */
  readonly derived: () => string | undefined;
}

/** The weight of a deployment now: less than its own after it has recovered. */
type ShareOf = (deployment: Deployment) => number;

/** A request without a session. */
export const NO_SESSION: RequestSession = { named: undefined, derived: () => undefined };

/**
 * The order in which a model's deployments are tried. `priority` keeps the order of the file; `weighted` draws each position by
 * weight among those left, so that a failing deployment's share goes to the others by their weights; `least_busy` begins with
 * the one with the fewest calls in flight for its weight; `fastest` with the one with the lowest average time to first byte,
 * after those that were never called. A deployment that has recovered gets a growing part of its weight. A session takes the place of the draw, and where the client names it also of load and speed.
 *
 * @param random a number in [0, 1), like Math.random
 */
export function orderDeployments(
  model: ResolvedModel,
  health: Pick<Deployments, 'healthOf'>,
  random: () => number,
  session: RequestSession = NO_SESSION,
): readonly Deployment[] {
  const { deployments, strategy } = model;
  if (deployments.length === 1 || strategy === 'priority') return deployments;
  const key = model.affinity === 'none' ? undefined : sessionOf(session, strategy);
  const shareOf: ShareOf = (deployment) => deployment.weight * health.healthOf(deployment).share;
  if (key !== undefined) return orderBySession(hashText(key), deployments, shareOf);
  switch (strategy) {
    case 'weighted':
      return byWeight(deployments, random, shareOf);
    case 'least_busy':
      return sorted(
        byWeight(deployments, random, shareOf),
        (deployment) => health.healthOf(deployment).inFlight / shareOf(deployment),
      );
    case 'fastest': {
      const drawn = byWeight(deployments, random, shareOf);
      if (random() < EXPLORE_SHARE) return drawn;
      return sorted(drawn, (deployment) => health.healthOf(deployment).firstByte ?? 0);
    }
  }
}

function sessionOf({ named, derived }: RequestSession, strategy: ResolvedModel['strategy']): string | undefined {
  return named ?? (strategy === 'weighted' ? derived() : undefined);
}

function byWeight(deployments: readonly Deployment[], random: () => number, shareOf: ShareOf): Deployment[] {
  const left = [...deployments];
  const ordered: Deployment[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, deployment) => sum + shareOf(deployment), 0);
    let point = random() * total;
    let chosen = left.findIndex((deployment) => (point -= shareOf(deployment)) < 0);
    if (chosen === -1) chosen = left.length - 1;
    ordered.push(...left.splice(chosen, 1));
  }
  return ordered;
}

/** Stable: equal deployments keep the drawn order. */
function sorted(deployments: Deployment[], costOf: (deployment: Deployment) => number): Deployment[] {
  return deployments.sort((first, second) => costOf(first) - costOf(second));
}
