import { Injectable } from '@nestjs/common';
import type { Principal } from '../../auth/principal.js';
import { GatewayError } from '../../errors/gateway-error.js';
import { CostEstimator, type CallEstimate, type SizedRequest } from '../../limits/cost-estimator.js';
import { JsonEndpoints } from '../../model-endpoint/json-endpoints.js';
import { billedTokens } from '../../operations/billed-tokens.js';
import { Pricing } from '../../pricing/pricing.service.js';
import { boundTokens } from '../../runtime/token-count.js';
import { Routing } from '../../routing/routing.service.js';
import type { ResolvedModel } from '../../routing/resolved-model.js';
import { BYTES_PER_TOKEN } from '../../operations/text-tokens.js';
import { NO_COST, type NanoDollars } from '../../runtime/nano-dollars.js';
import type { ClaimedJob, ClaimedTask } from '../claimed-tasks.js';
import { wholeRequest } from '../task-calls.js';

const ONE_TOKEN = billedTokens(boundTokens(1), boundTokens(1));

/** A task whose size is asked for. */
export type SizedTask = Pick<ClaimedTask, 'operation' | 'dialect' | 'request'>;
/** What its job gives it. */
export type SizedJob = Pick<ClaimedJob, 'model' | 'defaults'>;

/** The estimated size of a task. */
export interface LineSize {
  /** Tokens of the prompt and of the longest response. */
  readonly tokens: number;
  /** The most that one run of it can cost; null where a price is not known. */
  readonly mostCost: NanoDollars | null;
}

/** Estimates tasks as the limits of live requests do: for rates, costs and allowances of jobs. */
@Injectable()
export class LineSizes {
  constructor(
    private readonly endpoints: JsonEndpoints,
    private readonly routing: Routing,
    private readonly estimator: CostEstimator,
    private readonly pricing: Pricing,
  ) {}

  /**
   * The size of a task. One that cannot be read any more has none: running it gives the error.
   *
   * @param needsCost whether its price is looked up
   */
  async of(task: SizedTask, job: SizedJob, { keyId }: Pick<Principal, 'keyId'>, needsCost: boolean): Promise<LineSize> {
    const sized = await this.sizedOf(task, job, keyId);
    if (sized === undefined) return { tokens: 0, mostCost: NO_COST };
    const { estimate } = sized;
    return { tokens: estimate.likelyTokens(), mostCost: needsCost ? await estimate.cost() : null };
  }

  /** A model of which a deployment that may be called, also as a fallback, has no known price; undefined if there is none. */
  async unpricedOf(models: Iterable<string>): Promise<string | undefined> {
    for (const name of models) {
      for (const model of this.withFallbacks(this.routing.resolve(name))) {
        for (const deployment of model.deployments) {
          if ((await this.pricing.costOf(ONE_TOKEN, deployment)) === null) return model.id;
        }
      }
    }
    return undefined;
  }

  /** The size of a task with its likely cost: a prompt of four bytes a token, at the first deployment of its model. */
  async detailOf(
    task: SizedTask,
    job: SizedJob,
    keyId: string,
  ): Promise<LineSize & { readonly likelyCost: NanoDollars | null }> {
    const sized = await this.sizedOf(task, job, keyId);
    if (sized === undefined) return { tokens: 0, mostCost: NO_COST, likelyCost: NO_COST };
    const { request, model, estimate } = sized;
    const [deployment] = model.deployments;
    let likelyCost: NanoDollars | null = null;
    if (deployment !== undefined) {
      const most = this.estimator.mostOf(request, deployment, model.maxOutputTokens);
      const promptTokens = boundTokens(Math.ceil(most.promptTokens / BYTES_PER_TOKEN));
      const totalTokens = boundTokens(promptTokens + most.completionTokens);
      likelyCost = await this.pricing.costOf({ ...most, promptTokens, totalTokens }, deployment);
    }
    return { tokens: estimate.likelyTokens(), mostCost: await estimate.cost(), likelyCost };
  }

  /** @returns undefined for a task whose endpoint, model or request there is not any more */
  private async sizedOf(
    task: SizedTask,
    job: SizedJob,
    keyId: string,
  ): Promise<{ request: SizedRequest; model: ResolvedModel; estimate: CallEstimate } | undefined> {
    try {
      const endpoint = this.endpoints.of(task.operation, task.dialect);
      if (endpoint === undefined) return undefined;
      const body = wholeRequest(endpoint, task.request, job);
      const request = await endpoint.sized(endpoint.parse(body), keyId);
      const model = this.routing.resolve(request.request.model);
      const estimate = this.estimator.of({ ...request, model, models: () => [...this.withFallbacks(model)] });
      return { request, model, estimate };
    } catch (error) {
      if (error instanceof GatewayError && error.status < 500) return undefined;
      throw error;
    }
  }

  /** The model and all models that may be tried in its place. */
  private *withFallbacks(model: ResolvedModel): Generator<ResolvedModel> {
    yield model;
    for (const id of new Set([...model.fallbacks, ...model.contextFallbacks])) {
      try {
        yield this.routing.resolve(id);
      } catch {
        // It was removed from the configuration, so it is not tried.
      }
    }
  }
}
