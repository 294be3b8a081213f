import { Injectable } from '@nestjs/common';
import type { BilledUsage } from '../operations/billed-tokens.js';
import type { AnyOperation, Estimate } from '../operations/operation.js';
import type { OperationName, RequestOf } from '../operations/operation-types.js';
import { Pricing } from '../pricing/pricing.service.js';
import type { Deployment, ResolvedModel } from '../routing/resolved-model.js';
import { boundNanoDollars, NO_COST, type NanoDollars } from '../runtime/nano-dollars.js';
import { priceTierOf, type PriceTier } from '../runtime/price-tier.js';
import type { TokenCount } from '../runtime/token-count.js';

/** A request, and the operation that estimates its size. */
export interface SizedRequest {
  readonly operation: AnyOperation;
  readonly request: RequestOf<OperationName>;
}

interface EstimatedCall extends SizedRequest {
  readonly model: ResolvedModel;
  /** All models whose deployments may be called, fallbacks included. */
  readonly models: () => readonly ResolvedModel[];
}

/** Upper bounds for the cost of a call before it is made. */
@Injectable()
export class CostEstimator {
  constructor(private readonly pricing: Pricing) {}

  of(call: EstimatedCall): CallEstimate {
    return new CallEstimate(call, this.pricing);
  }

  /** The upper bound for one attempt at a deployment. */
  mostOf(
    { operation, request }: SizedRequest,
    deployment: Deployment,
    maxOutputTokens: number | undefined,
  ): BilledUsage {
    return mostAt(operation.estimate(request), { operation, request }, deployment, maxOutputTokens);
  }
}

/** The size of one call, measured at most once. */
export class CallEstimate {
  /** Number of upstream calls that the request may cause. */
  readonly calls: number;
  private measured: Estimate | undefined;
  private most: Promise<NanoDollars | null> | undefined;
  /** The model whose price is not known, once `cost` has found one. */
  unpriced: ResolvedModel | undefined;

  constructor(
    private readonly call: EstimatedCall,
    private readonly pricing: Pricing,
  ) {
    const { operation, request, models } = call;
    this.calls = operation.asksForSeveral(request)
      ? Math.max(...models().flatMap(({ deployments }) => deployments.map((deployment) => callsAt(call, deployment))))
      : 1;
  }

  /** The tier of service that the request asks for, which may cost more than the list price. */
  private get tier(): PriceTier | undefined {
    return priceTierOf(this.call.operation.fieldsOf(this.call.request)['service_tier']);
  }

  /** Tokens a minute to reserve; corrected when the call has ended. */
  likelyTokens(): TokenCount {
    const { calls } = this;
    return this.estimate.likelyTokens({ maxOutputTokens: this.call.model.maxOutputTokens, calls });
  }

  /**
   * The upper bound for any attempt within the limits of the request, at the most expensive deployment that may be called. Null
   * when the price of one is unknown.
   */
  cost(): Promise<NanoDollars | null> {
    this.most ??= this.findCost();
    return this.most;
  }

  private async findCost(): Promise<NanoDollars | null> {
    let most = NO_COST;
    for (const model of this.call.models()) {
      const { deployments, maxOutputTokens } = model;
      for (const deployment of deployments) {
        if (deployment.provider.operation(this.call.operation.name) === undefined) continue;
        const usage = mostAt(this.estimate, this.call, deployment, maxOutputTokens);
        const cost = await this.pricing.mostOf(usage, deployment, this.tier);
        if (cost === null) {
          this.unpriced = model;
          return null;
        }
        most = boundNanoDollars(Math.max(most, cost));
      }
    }
    return most;
  }

  private get estimate(): Estimate {
    this.measured ??= this.call.operation.estimate(this.call.request);
    return this.measured;
  }
}

function mostAt(
  estimate: Estimate,
  sized: SizedRequest,
  deployment: Deployment,
  maxOutputTokens: number | undefined,
): BilledUsage {
  const { upstreamModel } = deployment;
  return estimate.most({ upstreamModel, maxOutputTokens, calls: callsAt(sized, deployment) });
}

function callsAt({ operation, request }: SizedRequest, { provider }: Deployment): number {
  return provider.operation(operation.name)?.callsOf?.(request) ?? 1;
}
