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
  /** Set when the prompt is too long for the model: only models that may take more are tried then. */
  isTooLong = false;
  /** Set when a provider declined the content of the request: no other model is asked then. */
  isContentRefused = false;
  private readonly fallbacks: readonly string[];
  private readonly contextFallbacks: readonly string[];
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
    this.contextFallbacks = overrides?.fallbacks === undefined ? this.model.contextFallbacks : [];
    this.assertServes(call);
  }

  /** The model, then its fallbacks, each resolved when it is needed. */
  *models(): Generator<ResolvedModel> {
    yield this.model;
    const hasOwn = this.isTooLong && this.contextFallbacks.length > 0;
    for (const fallback of hasOwn ? this.contextFallbacks : this.fallbacks) {
      if (this.isContentRefused) return;
      const model = this.routing.resolve(fallback, this.table);
      if (!(this.isTooLong && !hasOwn && takesNoMore(model, this.model))) yield model;
    }
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

/** Whether a model is known to take no longer prompts than another. */
function takesNoMore({ contextLength }: ResolvedModel, than: ResolvedModel): boolean {
  return contextLength !== undefined && than.contextLength !== undefined && contextLength <= than.contextLength;
}
