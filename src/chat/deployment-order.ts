import type { Deployment, ResolvedModel } from '../models/resolved-model.js';

/**
 * The order in which a model's deployments are tried. `priority` keeps the order of the file; `weighted` draws each
 * place by weight among those left, so that a failing deployment's share goes to the others by their weights.
 *
 * @param random a number in [0, 1), like Math.random
 */
export function orderDeployments(model: ResolvedModel, random: () => number): readonly Deployment[] {
  const { deployments, strategy } = model;
  if (deployments.length === 1 || strategy === 'priority') return deployments;
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
