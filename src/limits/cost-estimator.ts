import { Injectable } from '@nestjs/common';
import type { BilledUsage } from '../operations/billed-tokens.js';
import type { AnyOperation, Estimate } from '../operations/operation.js';
import type { OperationName, RequestOf } from '../operations/operation-types.js';
import { Pricing } from '../pricing/pricing.service.js';
import type { Deployment, ResolvedModel } from '../routing/resolved-model.js';
import { boundNanoDollars, NO_COST, type NanoDollars } from '../runtime/nano-dollars.js';
import type { TokenCount } from '../runtime/token-count.js';

/** A request, and the operation that knows its size. */
export interface SizedRequest {
  readonly operation: AnyOperation;
  readonly request: RequestOf<OperationName>;
}

interface EstimatedCall extends SizedRequest {
  readonly model: ResolvedModel;
  /** All whose deployments may answer, fallbacks as well. */
  readonly models: () => readonly ResolvedModel[];
}

/** How much a call may come to, before it is made. */
@Injectable()
export class CostEstimator {
  constructor(private readonly pricing: Pricing) {}

  of(call: EstimatedCall): CallEstimate {
    return new CallEstimate(call, this.pricing);
  }

  /** What one attempt at a deployment does not exceed. */
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
  /** How many upstream calls the request may become. */
  readonly calls: number;
  private measured: Estimate | undefined;
  private most: Promise<NanoDollars | null> | undefined;

  constructor(
    private readonly call: EstimatedCall,
    private readonly pricing: Pricing,
  ) {
    const { operation, request, models } = call;
    this.calls = operation.asksForSeveral(request)
      ? Math.max(...models().flatMap(({ deployments }) => deployments.map((deployment) => callsAt(call, deployment))))
      : 1;
  }

  /** What is reserved of tokens a minute; it is corrected when the call has ended. */
  likelyTokens(): TokenCount {
    const { calls } = this;
    return this.estimate.likelyTokens({ maxOutputTokens: this.call.model.maxOutputTokens, calls });
  }

  /**
   * What no attempt within the limits of the request exceeds, at the most expensive deployment that may answer. Null when the
   * price of one is unknown.
   */
  cost(): Promise<NanoDollars | null> {
    this.most ??= this.findCost();
    return this.most;
  }

  private async findCost(): Promise<NanoDollars | null> {
    let most = NO_COST;
    for (const { deployments, maxOutputTokens } of this.call.models()) {
      for (const deployment of deployments) {
        if (deployment.provider.operation(this.call.operation.name) === undefined) continue;
        const usage = mostAt(this.estimate, this.call, deployment, maxOutputTokens);
        const cost = await this.pricing.mostOf(usage, deployment);
        if (cost === null) return null;
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
