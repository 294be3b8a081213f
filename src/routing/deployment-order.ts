import { createHash } from 'node:crypto';
import type { Deployments } from './deployments/deployments.service.js';
import type { Deployment, ResolvedModel } from './resolved-model.js';

/** Share of the requests that `fastest` sends to other deployments, to notice when another has become faster. */
const EXPLORE_SHARE = 0.05;

/**
 * The order in which a model's deployments are tried. `priority` keeps the order of the file; `weighted` draws each position by
 * weight among those left, so that a failing deployment's share goes to the others by their weights; `least_busy` begins with
 * the one with the fewest calls in flight for its weight; `fastest` with the one with the lowest average time to first byte,
 * after those that were never called.
 *
 * @param random a number in [0, 1), like Math.random
 */
export function orderDeployments(
  model: ResolvedModel,
  health: Pick<Deployments, 'healthOf'>,
  random: () => number,
): readonly Deployment[] {
  const { deployments, strategy } = model;
  if (deployments.length === 1) return deployments;
  switch (strategy) {
    case 'priority':
      return deployments;
    case 'weighted':
      return byWeight(deployments, random);
    case 'least_busy':
      return sorted(
        byWeight(deployments, random),
        (deployment) => health.healthOf(deployment).inFlight / deployment.weight,
      );
    case 'fastest': {
      const drawn = byWeight(deployments, random);
      if (random() < EXPLORE_SHARE) return drawn;
      return sorted(drawn, (deployment) => health.healthOf(deployment).firstByte ?? 0);
    }
  }
}

/**
 * The source of the random draws of a request. Requests with the same key draw the same numbers, so they reach the deployment
 * whose prompt cache they have filled for as long as it can be reached.
 *
 * @param key undefined draws at random
 */
export function randomFor(key: string | undefined): () => number {
  if (key === undefined) return Math.random;
  let state = createHash('sha256').update(key).digest().readUInt32LE(0);
  // mulberry32: small, and uniform enough to draw by weight.
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function byWeight(deployments: readonly Deployment[], random: () => number): Deployment[] {
  const left = [...deployments];
  const ordered: Deployment[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, deployment) => sum + deployment.weight, 0);
    let point = random() * total;
    let chosen = left.findIndex((deployment) => (point -= deployment.weight) < 0);
    if (chosen === -1) chosen = left.length - 1;
    ordered.push(...left.splice(chosen, 1));
  }
  return ordered;
}

/** Stable: equal deployments keep the drawn order. */
function sorted(deployments: Deployment[], costOf: (deployment: Deployment) => number): Deployment[] {
  return deployments.sort((first, second) => costOf(first) - costOf(second));
}
