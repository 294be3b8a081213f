import type { Deployment, ResolvedModel } from '../models/resolved-model.js';
import { orderDeployments } from './deployment-order.js';

function model(strategy: 'weighted' | 'priority', weights: readonly number[]): ResolvedModel {
  const deployments = weights.map((weight, index) => ({ weight, upstreamModel: `m${index}` }) as Deployment);
  return { id: 'fast', strategy, deployments, fallbacks: [] };
}

function names(deployments: readonly Deployment[]): string[] {
  return deployments.map(({ upstreamModel }) => upstreamModel);
}

describe('orderDeployments', () => {
  it('keeps the order of the file under priority', () => {
    expect(names(orderDeployments(model('priority', [1, 9, 5]), () => 0.99))).toEqual(['m0', 'm1', 'm2']);
  });

  it('draws by weight and lists every deployment once', () => {
    expect(names(orderDeployments(model('weighted', [3, 1]), () => 0.74))).toEqual(['m0', 'm1']);
    expect(names(orderDeployments(model('weighted', [3, 1]), () => 0.76))).toEqual(['m1', 'm0']);
    expect(names(orderDeployments(model('weighted', [1, 1, 1]), () => 0.999_999)).sort()).toEqual(['m0', 'm1', 'm2']);
  });

  it('gives each deployment its share', () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const weighted = model('weighted', [3, 1]);
    let first = 0;
    for (let round = 0; round < 4_000; round += 1) {
      if (orderDeployments(weighted, random)[0]?.upstreamModel === 'm0') first += 1;
    }
    expect(first / 4_000).toBeCloseTo(0.75, 1);
  });
});
