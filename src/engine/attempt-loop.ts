import { Injectable } from '@nestjs/common';
import { GatewayError, upstreamError } from '../errors/gateway-error.js';
import { Limits } from '../limits/limits.service.js';
import type { OperationName, RequestOf } from '../operations/operation-types.js';
import type { OperationPort, ProviderCall } from '../providers/provider.js';
import { DeploymentLimiter, Slot } from '../routing/deployments/deployment-limiter.js';
import { Deployments } from '../routing/deployments/deployments.service.js';
import { Routing } from '../routing/routing.service.js';
import { delay } from '../runtime/delay.js';
import { Attempt } from './attempt.js';
import { CallRoute } from './call-route.js';
import { Candidates, stillFull, type Candidate, type FullDeployments } from './candidates.js';
import { ModelAdmissions } from './model-admissions.js';
import { withoutOperatorOptions, type AllowedRequest } from './provider-options.js';
import { RetryBudget } from './retry-budget.js';
import type { ServedBy } from './served-by.js';
import { operationNotServed, portOf } from './served-operation.js';
import type { TrackedCall } from './tracked-call.js';

/** Upper bound of the delay before a second attempt, in milliseconds; it doubles with each further one. */
const FIRST_PAUSE_MS = 25;

/** The parameters of one attempt. */
export interface PreparedAttempt<Name extends OperationName> {
  readonly port: OperationPort<Name>;
  readonly providerCall: ProviderCall<RequestOf<Name>>;
  readonly attempt: Attempt;
  readonly servedBy: ServedBy;
}

/**
 * Tries each deployment of a call's model, then of its fallbacks, until one succeeds. When a deployment fails or cannot serve
 * the request, the next one is tried, and the client receives the reason of the last one.
 */
@Injectable()
export class AttemptLoop {
  private readonly budget = new RetryBudget();

  constructor(
    private readonly routing: Routing,
    private readonly deployments: Deployments,
    private readonly queue: DeploymentLimiter,
    private readonly limits: Limits,
  ) {}

  /**
   * @param send makes the attempt. It disposes of the attempt, or hands it over, when it succeeds; on failure this method does.
   * @throws GatewayError the last deployment's reason, or why none was tried; the reason of an abort
   */
  async run<Name extends OperationName, Answer>(
    call: TrackedCall<Name>,
    send: (prepared: PreparedAttempt<Name>) => Promise<Answer>,
  ): Promise<Answer> {
    const { operation, request, context } = call;
    const { signal, principal, overrides } = context;
    let attempts = 0;
    let failures = 0;
    let failure: GatewayError | undefined;
    const giveUpAt = performance.now() + (overrides?.timeout ?? Infinity);
    const route = new CallRoute(call, this.routing);
    const allowed = withoutOperatorOptions(operation, request, context.headers, principal);
    const admissions = new ModelAdmissions(this.limits, call);
    const admitted = admissions.first(route.model, () => route.models());
    if (admitted !== undefined) await admitted;
    signal.throwIfAborted();
    this.budget.deposit();
    const candidates = new Candidates(this.deployments, this.queue, call);
    for (const step of candidates.of(route.models(), operation.affinityKey(request))) {
      const candidate = await this.admitted(step, admissions, route, call, giveUpAt);
      if (candidate instanceof GatewayError) {
        if (failure === undefined || !failure.retryable) failure = candidate;
        continue;
      }
      const attempt = new Attempt(candidate.slot);
      const { slot } = attempt;
      if (attempts > 0 && !(await call.mayTryAgain())) {
        attempt.dispose();
        break;
      }
      // A deployment that refused the request did no work, so trying another one does not count against the retry budget.
      const isRetry = failures > 0;
      if (isRetry && (performance.now() >= giveUpAt || !this.budget.tryAcquire())) {
        attempt.dispose();
        break;
      }
      try {
        if (isRetry) await delay(Math.random() * FIRST_PAUSE_MS * 2 ** (failures - 1), signal);
        attempts += 1;
        return await send(
          this.prepare(attempt, candidate.model.id, attempts, giveUpAt - performance.now(), allowed, call),
        );
      } catch (error) {
        call.attemptEnds(error);
        const isOfProvider = error instanceof GatewayError && !attempt.isEndedByCaller && !signal.aborted;
        if (isOfProvider && error.retryable && !error.rejectedByGateway) slot.failed(error);
        else slot.recordNeutral();
        attempt.dispose();
        if (!isOfProvider) throw error;
        if (error.retryable) {
          failures += 1;
          candidates.hasFailed = true;
        }
        failure = error;
      } finally {
        if (isRetry) this.budget.release();
      }
    }
    throw failure ?? upstreamError({ message: 'No deployment of this model could be tried.' });
  }

  private prepare<Name extends OperationName>(
    attempt: Attempt,
    model: string,
    attempts: number,
    left: number,
    allowed: AllowedRequest<Name>,
    call: TrackedCall<Name>,
  ): PreparedAttempt<Name> {
    const { deployment } = attempt.slot;
    const { timeouts, upstreamModel, provider } = deployment;
    const port = portOf(provider, call);
    if (port === undefined) throw operationNotServed(call, model, [provider.name]);
    const signal = attempt.start(call.context.signal, { total: timeouts.total, left });
    const droppedParams = [...allowed.dropped];
    call.droppedParams = droppedParams;
    const headers = call.attemptBegins(model, deployment, allowed.headers);
    const providerCall: ProviderCall<RequestOf<Name>> = {
      request: allowed.request,
      upstreamModel,
      timeouts,
      requestId: call.context.requestId,
      headers,
      signal,
      onDroppedParams: (names) => droppedParams.push(...names.filter((name) => !droppedParams.includes(name))),
    };
    const rateLimits = call.admission?.headers;
    return {
      port,
      providerCall,
      attempt,
      servedBy: { model, provider: provider.name, attempts, droppedParams, rateLimits },
    };
  }

  /**
   * A step with a slot that may be used now.
   *
   * @returns the error to end with when there is no other model to try
   */
  private async admitted(
    step: Candidate | FullDeployments,
    admissions: ModelAdmissions,
    route: CallRoute,
    call: TrackedCall<OperationName>,
    giveUpAt: number,
  ): Promise<Candidate | GatewayError> {
    if (step.model !== route.model) {
      let isAdmitted = false;
      try {
        const refusal = await admissions.fallback(step.model);
        if (refusal !== undefined) return refusal;
        isAdmitted = true;
      } finally {
        if (!isAdmitted && 'slot' in step) step.slot.free();
      }
    }
    return 'full' in step ? this.waitForSlot(step, call, giveUpAt) : step;
  }

  /** @returns the error to end with when there is no other model to try */
  private async waitForSlot(
    { model, full }: FullDeployments,
    { context: { principal, source, signal } }: TrackedCall<OperationName>,
    giveUpAt: number,
  ): Promise<Candidate | GatewayError> {
    const slot = await this.queue.wait({
      model,
      key: principal.keyId,
      deployments: full,
      isBatch: source === 'batch',
      maxWaitMs: giveUpAt - performance.now(),
      signal,
    });
    return slot instanceof Slot ? { model, slot } : stillFull(model, slot.retryAfter);
  }
}
