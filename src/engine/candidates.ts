import { rateLimitExceeded, upstreamUnavailable, type GatewayError } from '../errors/gateway-error.js';
import type { DeploymentLimiter } from '../routing/deployments/deployment-limiter.js';
import type { Deployments } from '../routing/deployments/deployments.service.js';
import type { Deployment, ResolvedModel } from '../routing/resolved-model.js';
import type { PreferredPlace } from '../operations/operation.js';
import type { OperationName } from '../operations/operation-types.js';
import { portOf } from './served-operation.js';
import type { CallRoute } from './call-route.js';
import type { TrackedCall } from './tracked-call.js';
import { Attempt } from './attempt.js';
import { orderDeployments, type RequestSession } from '../routing/deployment-order.js';

/** Deployments that could be called if they had not as many calls as they may. */
export interface FullDeployments {
  readonly model: ResolvedModel;
  readonly full: readonly Deployment[];
}

/** A deployment of a model that is kept for later. */
interface Place {
  readonly model: ResolvedModel;
  readonly deployment: Deployment;
}

/**
 * The deployments to try for one request, in order: those of the model, then of its fallbacks. Deployments whose provider does
 * not have the operation, that an administrator has drained, whose breaker is open for the key, or that asked for a pause are left
 * out. Full deployments are waited for when the others of their model have failed. Deployments whose responses say that a limit of
 * their provider is reached come after all others. Lazy, so that the fallbacks of a healthy model are never resolved.
 *
 * If there is nothing else to try, or all that was tried refused the request as one that it cannot serve, the first deployment
 * with an open breaker is tried: it may be the only one that can serve the request.
 */
export class Candidates {
  /** Whether a deployment failed, as opposed to refusing the request. */
  hasFailed = false;

  constructor(
    private readonly deployments: Deployments,
    private readonly queue: DeploymentLimiter,
    private readonly call: TrackedCall<OperationName>,
    private readonly route: Pick<CallRoute, 'isContentRefused'>,
  ) {}

  /**
   * @param session whose requests are sent to the same deployment where there is a choice
   * @param preferred the deployment that comes before others of a model, and then others of its provider
   * @throws GatewayError 429 when every deployment that may serve the request asked for a pause, 503 when all are drained
   */
  *of(
    models: Iterable<ResolvedModel>,
    session: RequestSession,
    preferred?: PreferredPlace,
  ): Generator<Attempt | FullDeployments> {
    const { call } = this;
    const key = call.context.principal.keyId;
    let tried = 0;
    let spare: Place | undefined;
    let shortestWait = Infinity;
    let limited: Place[] | undefined;
    let last: ResolvedModel | undefined;
    let drained: ResolvedModel | undefined;
    const { drains } = this.deployments;
    for (const model of models) {
      let full: Deployment[] | undefined;
      last = model;
      const drawn = orderDeployments(model, this.deployments, Math.random, session);
      const ordered = this.deployments.ejections.toEnd(model.id, drawn);
      for (const deployment of preferring(ordered, preferred)) {
        if (portOf(deployment.provider, call) === undefined) continue;
        if (drains.has(deployment)) {
          drained ??= model;
          continue;
        }
        const health = this.deployments.healthOf(deployment);
        const wait = health.waitFor(key);
        if (wait > 0) shortestWait = Math.min(shortestWait, wait);
        else if (!health.canCall(key)) spare ??= { model, deployment };
        else if (health.limits.left > 0) (limited ??= []).push({ model, deployment });
        else {
          const slot = this.queue.take(deployment, key);
          if (slot === undefined) (full ??= []).push(deployment);
          else {
            tried += 1;
            yield new Attempt(model, slot);
          }
        }
      }
      if (full !== undefined) {
        tried += 1;
        yield { model, full };
      }
    }
    for (const { model, deployment } of limited ?? []) {
      if (drains.has(deployment) || (this.route.isContentRefused && model !== last)) continue;
      const slot = this.queue.take(deployment, key);
      tried += 1;
      yield slot === undefined ? { model, full: [deployment] } : new Attempt(model, slot);
    }
    if (tried > 0 && this.hasFailed) return;
    if (spare !== undefined && drains.has(spare.deployment)) spare = undefined;
    const slot = spare === undefined ? undefined : this.queue.take(spare.deployment, key);
    if (spare !== undefined && slot !== undefined) yield new Attempt(spare.model, slot);
    else if (shortestWait < Infinity) throw stillWaiting(shortestWait);
    else if (tried === 0 && drained !== undefined) throw allDrained(drained);
  }

  /** Whether its model has no other deployment that serves the call. */
  isOnly({ model, slot }: Attempt): boolean {
    return !model.deployments.some(
      ({ id, provider }) =>
        id !== slot.deployment.id && portOf(provider, this.call) !== undefined && !this.deployments.drains.has({ id }),
    );
  }
}

function preferring(deployments: readonly Deployment[], preferred: PreferredPlace | undefined): readonly Deployment[] {
  if (preferred === undefined) return deployments;
  const distance = ({ provider, upstreamModel }: Deployment): number => {
    if (provider.name !== preferred.provider) return 2;
    return preferred.upstreamModel === null || preferred.upstreamModel === upstreamModel ? 0 : 1;
  };
  return [...deployments].sort((first, second) => distance(first) - distance(second));
}

/** All deployments are full, and the queue for them is full or its wait would be too long. */
export function stillFull({ id }: ResolvedModel, milliseconds: number): GatewayError {
  const whole = Math.ceil(milliseconds);
  return upstreamUnavailable({
    message: `All deployments of '${id}' have as many calls as they take, and the wait would be too long. Retry after ${Math.ceil(whole / 1_000)} s.`,
    retryAfterMs: whole,
    rejectedByGateway: true,
  });
}

/** An administrator has taken every deployment out of service that could serve the request. */
export function allDrained({ id }: ResolvedModel): GatewayError {
  return upstreamUnavailable({
    message: `All deployments of '${id}' that serve this request are drained: an administrator has taken them out of service. Choose another model, or retry later.`,
    rejectedByGateway: true,
  });
}

/** The upstream named the time of the retry; an earlier one would only prolong the wait. */
function stillWaiting(milliseconds: number): GatewayError {
  const whole = Math.ceil(milliseconds);
  return rateLimitExceeded({
    message: `The provider is rate limiting this model. Retry after ${Math.ceil(whole / 1_000)} s.`,
    retryAfterMs: whole,
    rejectedByGateway: true,
  });
}
