import { Injectable } from '@nestjs/common';
import { GatewayConfig } from '../../config/gateway-config.js';
import { RoutingConfig } from '../../config/routing-config.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import { Routing } from '../../routing/routing.service.js';
import { TierPlanner } from './tier-planner.js';
import type { JobPricing } from './tiers.js';

/** The price tier of new jobs. */
@Injectable()
export class JobPricings {
  constructor(
    private readonly planner: TierPlanner,
    private readonly routing: Routing,
    private readonly settings: RoutingConfig,
    private readonly config: GatewayConfig,
  ) {}

  /**
   * The tier that a submission asks for, or else that of its model.
   *
   * @param model which exists
   * @throws GatewayError 400 that names `pricing` where no provider of the model has the tier
   */
  of(asked: JobPricing | null | undefined, model: string): JobPricing {
    if (asked == null) return this.defaultOf(model);
    if (asked === 'native' && this.planner.nativeDeployments(model).next().done === true) {
      throw unavailable(`No provider of the model '${model}' has a batch API of its own`);
    }
    if (asked === 'flex' && !this.planner.offersFlex(model)) {
      throw unavailable(`No provider of the model '${model}' has a flex tier at a lower price`);
    }
    return asked;
  }

  private defaultOf(model: string): JobPricing {
    const { id } = this.routing.resolve(model);
    const own = this.settings.current.models.find((each) => each.id === id)?.batchPricing;
    return own ?? this.config.batch.pricing;
  }
}

function unavailable(reason: string): Error {
  return invalidRequest(
    `${reason}. Use 'cheapest', which takes what there is, or 'live'.`,
    'pricing',
    'unsupported_value',
  );
}
