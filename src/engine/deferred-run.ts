import { Injectable } from '@nestjs/common';
import type { DeferredCall } from '../calls/deferred-call.js';
import { upstreamError } from '../errors/gateway-error.js';
import { Limits } from '../limits/limits.service.js';
import type { OperationName, RequestOf, ResultOf } from '../operations/operation-types.js';
import type { Exchange } from '../providers/transport/exchange.js';
import type { OperationPort, ProviderCall } from '../providers/provider.js';
import type { Deployment, ResolvedModel } from '../routing/resolved-model.js';
import { Routing } from '../routing/routing.service.js';
import { NO_COST } from '../runtime/nano-dollars.js';
import { NO_TOKENS } from '../runtime/token-count.js';
import { CallRoute } from './call-route.js';
import { ModelAdmissions } from './model-admissions.js';
import { withoutOperatorOptions } from './provider-options.js';
import type { ServedBy } from './served-by.js';
import { operationNotServed, portOf } from './served-operation.js';
import type { TrackedCall } from './tracked-call.js';

/**
 * Runs calls whose response comes later, by another way than HTTP: in a provider's own batch. Such a call is made twice: first its
 * request is written and its limits are reserved; then, with the provider's response, it is completed as any other call is.
 */
@Injectable()
export class DeferredRun {
  constructor(
    private readonly routing: Routing,
    private readonly limits: Limits,
  ) {}

  /**
   * Writes the request for the deployment and reserves the limits of the call, which has no outcome then.
   *
   * @throws ComposedCall when it is written; GatewayError as a live call does before it reaches a provider; NotDeferrable where it
   *   takes more than one request, or where a hook responds
   */
  async compose<Name extends OperationName>(call: TrackedCall<Name>, deferred: DeferredCall): Promise<never> {
    try {
      const { route, found, providerCall, port } = this.prepare(call, deferred);
      const { isSubmitted = false, reservationId } = deferred;
      const hooked = isSubmitted ? undefined : await call.hooks.before(call);
      // A hook that responds in place of a provider does so for a live call as well.
      if (hooked !== undefined) throw new NotDeferrable();
      const admissions = new ModelAdmissions(this.limits, call, isSubmitted, reservationId);
      await admissions.first(found.model, () => route.models());
      let count = 0;
      const exchange: Exchange = (request) => {
        count += 1;
        deferred.composed?.(request, call.droppedParams);
        return Promise.reject(new ComposedCall());
      };
      try {
        await port.invoke({ ...providerCall, exchange });
      } catch (error) {
        if (!(error instanceof ComposedCall)) throw error;
      }
      if (count !== 1) throw new NotDeferrable();
    } catch (error) {
      call.discard();
      await call.admission?.settle(NO_TOKENS, NO_COST);
      throw error;
    }
    call.discard();
    call.admission?.leave();
    deferred.admitted?.(call.admission);
    throw new ComposedCall();
  }

  /** Completes the call with the provider's response. @throws GatewayError as a live call does */
  async settle<Name extends OperationName>(
    call: TrackedCall<Name>,
    deferred: DeferredCall,
    exchange: Exchange,
  ): Promise<ServedBy & { readonly result: ResultOf<Name> }> {
    const { found, providerCall, port, route } = this.prepare(call, deferred);
    call.admission = deferred.admission;
    if (call.admission === undefined) {
      // The process that reserved it has ended. The provider has made the response, so that it counts in any case.
      const admissions = new ModelAdmissions(this.limits, call, true, deferred.reservationId);
      await admissions.first(found.model, () => route.models());
    }
    const headers = call.attemptBegins(found.model.id, found.deployment, providerCall.headers);
    const result = await port.invoke({ ...providerCall, headers, exchange });
    call.responds();
    const { name } = found.deployment.provider;
    const { droppedParams } = call;
    return {
      model: found.model.id,
      provider: name,
      upstreamModel: found.deployment.upstreamModel,
      attempts: 1,
      droppedParams,
      rateLimits: undefined,
      providerHeaders: {},
      result,
    };
  }

  private prepare<Name extends OperationName>(
    call: TrackedCall<Name>,
    { deploymentId }: DeferredCall,
  ): PreparedDeferred<Name> {
    const { operation, request, context } = call;
    const route = new CallRoute(call, this.routing);
    const allowed = withoutOperatorOptions(operation, request, context.headers, context.principal);
    const found = deploymentIn(route.models(), deploymentId);
    if (found === undefined) {
      throw upstreamError({ message: 'The model no longer has the deployment whose batch this request is in.' });
    }
    const { provider, timeouts, upstreamModel } = found.deployment;
    const port = portOf(provider, call);
    if (port === undefined) throw operationNotServed(call, found.model.id, [provider.name]);
    const droppedParams = [...allowed.dropped];
    call.droppedParams = droppedParams;
    const providerCall: ProviderCall<RequestOf<Name>> = {
      request: allowed.request,
      upstreamModel,
      timeouts,
      requestId: context.requestId,
      headers: allowed.headers,
      signal: context.signal,
      onDroppedParams: (names) => droppedParams.push(...names.filter((name) => !droppedParams.includes(name))),
    };
    return { route, found, providerCall, port };
  }
}

interface PreparedDeferred<Name extends OperationName> {
  readonly route: CallRoute;
  readonly found: { readonly model: ResolvedModel; readonly deployment: Deployment };
  readonly providerCall: ProviderCall<RequestOf<Name>>;
  readonly port: OperationPort<Name>;
}

/** Thrown in place of a response where a request was written and no response is there yet. */
export class ComposedCall extends Error {
  constructor() {
    super('The request was written; its response comes later.');
  }
}

function deploymentIn(
  models: Iterable<ResolvedModel>,
  id: string,
): { readonly model: ResolvedModel; readonly deployment: Deployment } | undefined {
  for (const model of models) {
    const deployment = model.deployments.find((each) => each.id === id);
    if (deployment !== undefined) return { model, deployment };
  }
  return undefined;
}

/** The request cannot be one line of a provider's batch. */
export class NotDeferrable extends Error {
  constructor() {
    super('The request takes another number of provider calls than one.');
  }
}
