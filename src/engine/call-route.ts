import { mayCallModel } from '../auth/may-call-model.js';
import type { Principal } from '../auth/principal.js';
import { permissionDenied } from '../errors/gateway-error.js';
import type { OperationName } from '../operations/operation-types.js';
import type { Deployment, ResolvedModel } from '../routing/resolved-model.js';
import type { Routing } from '../routing/routing.service.js';
import type { RoutingTable } from '../routing/routing-table.js';
import { operationNotServed, portOf, type NeededOperation } from './served-operation.js';
import type { TrackedCall } from './tracked-call.js';

/** The model of a request and its fallbacks. */
export class CallRoute {
  readonly model: ResolvedModel;
  private readonly fallbacks: readonly string[];
  private readonly table: RoutingTable;

  /**
   * @throws GatewayError 404 for an unknown model or one whose providers do not have the operation, 403 for one that the key may
   *   not call
   */
  constructor(
    call: TrackedCall<OperationName>,
    private readonly routing: Routing,
  ) {
    const { request, context, table } = call;
    const { principal, overrides } = context;
    this.table = table;
    this.model = this.allowed(request.model, principal);
    for (const id of overrides?.fallbacks ?? []) this.allowed(id, principal);
    // A fallback of the file is the operator's choice for this model, so the key needs no permission for it.
    this.fallbacks = overrides?.fallbacks ?? this.model.fallbacks;
    this.assertServes(call);
  }

  /** The model, then its fallbacks, each resolved when it is needed. */
  *models(): Generator<ResolvedModel> {
    yield this.model;
    for (const fallback of this.fallbacks) yield this.routing.resolve(fallback, this.table);
  }

  private allowed(modelId: string, principal: Principal): ResolvedModel {
    const model = this.routing.resolve(modelId, this.table);
    // A key that may call a model may use its aliases.
    if (mayCallModel(principal, modelId) || mayCallModel(principal, model.id)) return model;
    throw permissionDenied(`This key may not call the model '${modelId}'.`, 'model_not_allowed', 'model');
  }

  private assertServes(needed: NeededOperation<OperationName>): void {
    const { id, deployments } = this.model;
    if (hasPort(deployments, needed)) return;
    for (const fallback of this.models()) if (hasPort(fallback.deployments, needed)) return;
    const providers = deployments.map(({ provider }) => provider.name);
    throw operationNotServed(needed, id, providers);
  }
}

function hasPort(deployments: readonly Deployment[], needed: NeededOperation<OperationName>): boolean {
  for (const { provider } of deployments) if (portOf(provider, needed) !== undefined) return true;
  return false;
}
