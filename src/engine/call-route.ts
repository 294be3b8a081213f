import { mayCallModel } from '../auth/may-call-model.js';
import type { Principal } from '../auth/principal.js';
import { permissionDenied } from '../errors/gateway-error.js';
import type { OperationName } from '../operations/operation-types.js';
import type { Deployment, ResolvedModel } from '../routing/resolved-model.js';
import type { Routing } from '../routing/routing.service.js';
import type { RoutingTable } from '../routing/routing-table.js';
import { operationNotServed, portOf, type NeededOperation } from './served-operation.js';
import type { TrackedCall } from './tracked-call.js';

/** The published context length of a model at a provider, in tokens; undefined where there is none. */
type LengthOf = (baseUrl: string, upstreamModel: string) => Promise<number | undefined>;

/** The model of a request and its fallbacks. */
export class CallRoute {
  readonly model: ResolvedModel;
  /**
   * Tokens that models take, by their ids, as far as the catalogue of models knows it. Undefined until the prompt is too long for the
   * model: only models that may take more are tried then.
   */
  private knownLengths: Map<string, number> | undefined;
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
    // A fallback of the file is the operator's choice for this model, so a key needs no permission for it unless its rule says so.
    this.fallbacks = overrides?.fallbacks ?? this.within(principal, this.model.fallbacks);
    this.contextFallbacks =
      overrides?.fallbacks === undefined ? this.within(principal, this.model.contextFallbacks) : [];
    this.assertServes(call);
  }

  /**
   * The prompt is too long for the model, so that fallbacks are left out which are known to take no more.
   *
   * @param lengthOf context length of a model at a provider, where it is published
   */
  async promptIsTooLong(lengthOf: LengthOf): Promise<void> {
    if (this.knownLengths !== undefined) return;
    const lengths = new Map<string, number>();
    this.knownLengths = lengths;
    const others = this.fallbacks.map((id) => this.routing.resolve(id, this.table));
    for (const { id, contextLength, deployments } of [this.model, ...others]) {
      const length = contextLength ?? (await longest(deployments, lengthOf));
      if (length !== undefined) lengths.set(id, length);
    }
  }

  /** The model, then its fallbacks, each resolved when it is needed. */
  *models(): Generator<ResolvedModel> {
    yield this.model;
    const hasOwn = this.knownLengths !== undefined && this.contextFallbacks.length > 0;
    for (const fallback of hasOwn ? this.contextFallbacks : this.fallbacks) {
      if (this.isContentRefused) return;
      const model = this.routing.resolve(fallback, this.table);
      if (hasOwn || !this.takesNoMore(model)) yield model;
    }
  }

  /** Whether the prompt is too long for the model, and a fallback is known to take no longer ones. */
  private takesNoMore({ id }: ResolvedModel): boolean {
    const [own, other] = [this.knownLengths?.get(this.model.id), this.knownLengths?.get(id)];
    return own !== undefined && other !== undefined && other <= own;
  }

  private allowed(modelId: string, principal: Principal): ResolvedModel {
    const model = this.routing.resolve(modelId, this.table);
    if (this.isAllowed(modelId, model, principal)) return model;
    throw permissionDenied(`This key may not call the model '${modelId}'.`, 'model_not_allowed', 'model');
  }

  private within(principal: Principal, fallbacks: readonly string[]): readonly string[] {
    if (principal.fallbacks !== 'within_allowed') return fallbacks;
    return fallbacks.filter((id) => this.isAllowed(id, this.routing.resolve(id, this.table), principal));
  }

  private isAllowed(modelId: string, model: ResolvedModel, principal: Principal): boolean {
    // A key that may call a model may use its aliases.
    return mayCallModel(principal, modelId) || mayCallModel(principal, model.id);
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

/** The most that any of the deployments takes; undefined where that is not known of all. */
async function longest(deployments: readonly Deployment[], lengthOf: LengthOf): Promise<number | undefined> {
  let most: number | undefined;
  for (const { baseUrl, upstreamModel } of deployments) {
    const length = await lengthOf(baseUrl, upstreamModel);
    if (length === undefined) return undefined;
    most = Math.max(most ?? 0, length);
  }
  return most;
}
