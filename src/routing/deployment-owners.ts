import type { ModelConfig, PriceConfig, TierPricesConfig } from '../config/gateway-config.js';
import type { Account } from '../auth/spending.js';

type DeploymentConfig = ModelConfig['deployments'][number];

/** A model of the file, and one of its deployments that another name resolves to as well. */
export interface Owner {
  readonly model: ModelConfig;
  readonly deployment: DeploymentConfig;
}

/** What the id of a deployment with a further key of its provider ends with. */
const KEY_SUFFIX = /#\d+$/;

interface Template extends Owner {
  readonly before: string;
  readonly after: string;
}

/**
 * The models of the file that have a given deployment, so that limits apply under every name that resolves to it. Upstream model
 * names are compared without regard to case, since many providers ignore case, and without Ollama's `:latest`.
 */
export class DeploymentOwners {
  private readonly exact = new Map<string, Owner[]>();
  private readonly templates: Template[] = [];

  constructor(models: readonly ModelConfig[]) {
    for (const model of models) {
      for (const deployment of model.deployments) {
        const [before = '', after] = normalized(deployment.model).split('*');
        if (model.id.endsWith('*') && after !== undefined) this.templates.push({ model, deployment, before, after });
        else {
          const at = placeOf(deployment.provider, deployment.model);
          const owners = this.exact.get(at);
          if (owners === undefined) this.exact.set(at, [{ model, deployment }]);
          else owners.push({ model, deployment });
        }
      }
    }
  }

  /** Models that name the deployment itself. */
  byName(provider: string, upstreamModel: string): readonly Owner[] {
    return this.exact.get(placeOf(provider, upstreamModel)) ?? [];
  }

  /** Patterns that resolve to the deployment. */
  byPattern(provider: string, upstreamModel: string): readonly Owner[] {
    const name = normalized(upstreamModel);
    return this.templates.filter(
      ({ deployment, before, after }) =>
        deployment.provider === provider &&
        name.length > before.length + after.length &&
        name.startsWith(before) &&
        name.endsWith(after),
    );
  }
}

/** The id of a deployment: the spelling of the file, where it has one. */
export function deploymentId(provider: string, upstreamModel: string, owners: readonly Owner[]): string {
  const spellings = owners.map(({ deployment }) => deployment.model);
  const [first = upstreamModel] = spellings;
  return `${provider}/${spellings.includes(upstreamModel) ? upstreamModel : first}`;
}

/** The limits of models, once for each model. */
export function accountsOf(models: readonly ModelConfig[]): Account[] {
  return [...new Set(models)].flatMap(({ id, limits }) =>
    limits === undefined ? [] : [{ id: `model:${id}`, limits, budget: null }],
  );
}

/** The smallest `concurrency` that the file sets for the deployment; undefined when it sets none. */
export function smallestConcurrency(owners: readonly Owner[]): number | undefined {
  const given = owners.flatMap(({ deployment }) => deployment.concurrency ?? []);
  return given.length === 0 ? undefined : Math.min(...given);
}

/** The prices of tiers that the file sets for the deployment; undefined means those that the provider publishes. */
export function tierPricesOf(owners: readonly Owner[]): TierPricesConfig | undefined {
  for (const { deployment, model } of owners) {
    const prices = deployment.tierPrices ?? model.tierPrices;
    if (prices !== undefined) return prices;
  }
  return undefined;
}

/** The most expensive price that the file sets for the deployment; undefined means the price catalogue. */
export function highestPrice(owners: readonly Owner[]): PriceConfig | undefined {
  let mostExpensive: PriceConfig | undefined;
  for (const { model } of owners) {
    if (model.price !== undefined && (mostExpensive === undefined || sumOf(model.price) > sumOf(mostExpensive))) {
      mostExpensive = model.price;
    }
  }
  return mostExpensive;
}

/** A number by which two prices of the same deployment are compared. They usually name the same units. */
function sumOf({ images, ...prices }: PriceConfig): number {
  const ofImages = images?.map(({ perImage }) => perImage) ?? [];
  return [...Object.values(prices), ...ofImages].reduce((sum, price) => sum + price, 0);
}

/** The id of a deployment in a form that is the same for all spellings that lead to it. */
export function placeOfDeployment(id: string): string {
  const slash = id.indexOf('/');
  const [suffix = ''] = KEY_SUFFIX.exec(id) ?? [];
  return `${placeOf(id.slice(0, Math.max(0, slash)), id.slice(slash + 1, id.length - suffix.length))}${suffix}`;
}

function placeOf(provider: string, upstreamModel: string): string {
  return `${provider}/${normalized(upstreamModel)}`;
}

function normalized(upstreamModel: string): string {
  return upstreamModel
    .trim()
    .toLowerCase()
    .replace(/:latest$/, '');
}
