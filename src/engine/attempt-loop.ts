import { Injectable } from '@nestjs/common';
import { GatewayError, upstreamError } from '../errors/gateway-error.js';
import { Limits } from '../limits/limits.service.js';
import type { OperationName, RequestOf } from '../operations/operation-types.js';
import { DeploymentLimiter, Slot } from '../routing/deployments/deployment-limiter.js';
import { Deployments } from '../routing/deployments/deployments.service.js';
import type { Deployment } from '../routing/resolved-model.js';
import { PriceCatalog } from '../pricing/price-catalog.js';
import { Routing } from '../routing/routing.service.js';
import { delay } from '../runtime/delay.js';
import { Attempt } from './attempt.js';
import type { FailedAttempt, Progress } from './call-progress.js';
import { CallRoute } from './call-route.js';
import { allDrained, Candidates, stillFull, type FullDeployments } from './candidates.js';
import { ModelAdmissions } from './model-admissions.js';
import { prepareAttempt } from './prepare-attempt.js';
import type { PreparedAttempt, Sender } from './prepared-attempt.js';
import { withoutOperatorOptions } from './provider-options.js';
import { isInTier } from './service-tier.js';
import { pauseBeforeSame } from './same-deployment.js';
import { RetryBudget } from './retry-budget.js';
import { limitHeaders, servedByHook } from './served-by.js';
import type { TrackedCall } from './tracked-call.js';

/** Upper bound of the delay before a second attempt, in milliseconds; it doubles with each further one. */
const FIRST_PAUSE_MS = 25;

/** The next candidate may be tried. */
const NEXT = Symbol('next');
/** No further candidate is tried. */
const STOP = Symbol('stop');

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
    private readonly catalog: PriceCatalog,
  ) {}

  /** @throws GatewayError the last deployment's reason, or why none was tried; the reason of an abort */
  async run<Name extends OperationName, Result>(
    call: TrackedCall<Name>,
    sender: Sender<Name, Result>,
  ): Promise<Result> {
    const { operation, request, context } = call;
    const deadline = performance.now() + (context.overrides?.timeoutMs ?? Infinity);
    const route = new CallRoute(call, this.routing);
    const allowed = withoutOperatorOptions(operation, request, context.headers, context.principal);
    const hooked = call.hooks.before(call);
    const shortCircuit = hooked === undefined ? undefined : await hooked;
    if (shortCircuit !== undefined) {
      call.shortCircuited({ source: shortCircuit.source, model: route.model.id });
      return sender.shortCircuit(shortCircuit, servedByHook(shortCircuit.source, route.model.id));
    }
    const admissions = new ModelAdmissions(this.limits, call);
    const admitted = admissions.first(route.model, () => route.models());
    if (admitted !== undefined) await admitted;
    context.signal.throwIfAborted();
    this.budget.deposit();
    const candidates = new Candidates(this.deployments, this.queue, call, route);
    const rest = candidates.of(
      route.models(),
      {
        named: operation.cacheKeyOf(request) ?? context.session?.key,
        derived: () => operation.conversationOf(request),
      },
      operation.preferredPlace(request),
    );
    const progress: Progress<Name> = {
      call,
      route,
      allowed,
      admissions,
      candidates,
      rest,
      deadline,
      attempts: 0,
      failures: 0,
      failure: undefined,
      providerHeaders: {},
      failed: undefined,
      triedAgain: undefined,
      requestOf: undefined,
    };
    return this.tryRest(progress, (prepared) => sender.attempt(prepared));
  }

  private async tryRest<Name extends OperationName, Result>(
    progress: Progress<Name>,
    send: (prepared: PreparedAttempt<Name>) => Promise<Result>,
  ): Promise<Result> {
    for (;;) {
      const again = progress.failed === undefined ? undefined : await this.again(progress.failed, progress);
      const candidate = again ?? (progress.rest.next().value as Attempt | FullDeployments | undefined);
      if (candidate === undefined) break;
      const outcome = await this.try(candidate, progress, send, again !== undefined);
      if (outcome === STOP) break;
      if (outcome !== NEXT) return outcome;
    }
    throw progress.failure ?? upstreamError({ message: 'No deployment of this model could be tried.' });
  }

  /** Once the remaining candidates were tried, the deployment whose stream broke may go on itself, once. */
  private async resume<Name extends OperationName, Result>(
    progress: Progress<Name>,
    broken: Attempt,
    failure: GatewayError,
    requestOf: (deployment: Deployment) => RequestOf<Name>,
    send: (prepared: PreparedAttempt<Name>) => Promise<Result>,
  ): Promise<Result> {
    progress.failures += 1;
    progress.failure = failure;
    progress.failed = undefined;
    progress.candidates.hasFailed = true;
    progress.requestOf = requestOf;
    try {
      return await this.tryRest(progress, send);
    } catch (error) {
      const { deployment } = broken.slot;
      if (error !== progress.failure || progress.triedAgain?.has(deployment.id) === true) throw error;
      const same = this.take(broken, progress);
      if (same === undefined) throw error;
      (progress.triedAgain ??= new Map()).set(deployment.id, false);
      const outcome = await this.try(same, progress, send, false);
      if (outcome === STOP || outcome === NEXT) throw progress.failure;
      return outcome;
    }
  }

  /** Waits for the deployment that has just failed, where its model has no other and its failure may be over soon. */
  private async again(
    { attempt, error }: FailedAttempt,
    progress: Progress<OperationName>,
  ): Promise<Attempt | undefined> {
    const { candidates, call } = progress;
    progress.failed = undefined;
    const { health, deployment } = attempt.slot;
    const hasWaited = progress.triedAgain?.get(deployment.id);
    if (hasWaited !== undefined) {
      if (hasWaited && error.retryAfterMs !== undefined) health.wasWaitUseless = true;
      return undefined;
    }
    const pause = pauseBeforeSame(error, attempt.model.maxRetryWait);
    if (pause === undefined || !candidates.isOnly(attempt) || (pause.isRequested && health.wasWaitUseless)) return;
    if (performance.now() + pause.milliseconds >= progress.deadline || !this.budget.tryAcquire()) return undefined;
    (progress.triedAgain ??= new Map()).set(deployment.id, pause.isRequested);
    let next: Attempt | undefined;
    try {
      await delay(pause.milliseconds, call.context.signal);
      next = this.take(attempt, progress);
      return next;
    } finally {
      if (next === undefined) this.budget.release();
    }
  }

  /** A further attempt at a deployment; undefined where it may not be called now. */
  private take({ model, slot }: Attempt, { call }: Progress<OperationName>): Attempt | undefined {
    const { keyId } = call.context.principal;
    if (slot.health.waitFor(keyId) > 0 || !slot.health.canCall(keyId)) return undefined;
    if (this.deployments.drains.has(slot.deployment)) return undefined;
    const free = this.queue.take(slot.deployment, keyId);
    return free === undefined ? undefined : new Attempt(model, free);
  }

  /** One candidate. Its attempt is disposed of here, unless it is a stream, which disposes of the attempt at its end. */
  private async try<Name extends OperationName, Result>(
    candidate: Attempt | FullDeployments,
    progress: Progress<Name>,
    send: (prepared: PreparedAttempt<Name>) => Promise<Result>,
    hasBudget: boolean,
  ): Promise<Result | typeof NEXT | typeof STOP> {
    const { call, candidates } = progress;
    const { signal } = call.context;
    let attempt = candidate instanceof Attempt ? candidate : undefined;
    let isRetry = hasBudget;
    let hasResult = false;
    try {
      const refusal =
        candidate.model === progress.route.model ? undefined : await progress.admissions.fallback(candidate.model);
      if (refusal !== undefined) return refused(refusal, progress);
      if (!(candidate instanceof Attempt)) {
        const waited = await this.waitForSlot(candidate, progress);
        if (waited instanceof GatewayError) return refused(waited, progress);
        attempt = waited;
      }
      if (attempt === undefined) return NEXT;
      if (!isInTier(attempt.slot.deployment, call.context)) {
        attempt.slot.recordNeutral();
        return NEXT;
      }
      if (progress.attempts > 0 && !(await call.mayTryAgain())) return STOP;
      // A deployment that refused the request did no work, so that another one takes nothing from the budget of retries.
      if (progress.failures > 0 && !hasBudget) {
        if (performance.now() >= progress.deadline || !this.budget.tryAcquire()) return STOP;
        isRetry = true;
        await delay(Math.random() * FIRST_PAUSE_MS * 2 ** (progress.failures - 1), signal);
      }
      progress.attempts += 1;
      const tried = attempt;
      const result = await send(
        prepareAttempt(tried, progress, (...onward) => this.resume(progress, tried, ...onward)),
      );
      hasResult = true;
      return result;
    } catch (error) {
      // Without an attempt it was the wait for one that failed.
      if (attempt === undefined) throw error;
      call.attemptEnds(error);
      const isOfProvider = error instanceof GatewayError && !attempt.isEndedByCaller && !signal.aborted;
      // A tier without capacity says nothing of the deployment's other calls.
      const isFault = isOfProvider && error.retryable && call.context.serviceTier === undefined;
      if (isFault && !error.rejectedByGateway) attempt.slot.failed(error);
      else attempt.slot.recordNeutral();
      if (!isOfProvider) throw error;
      if (error.retryable) {
        progress.failures += 1;
        candidates.hasFailed = true;
      }
      const { providerHeaders } = progress;
      if (error.upstream !== undefined) {
        error.headers = { ...limitHeaders({ rateLimits: call.admission?.headers, providerHeaders }), ...error.headers };
      }
      progress.failure = error;
      progress.failed = { attempt, error };
      if (error.code === 'context_length_exceeded') await progress.route.promptIsTooLong(this.lengthOf);
      progress.route.isContentRefused ||= error.isContentRefusal;
      return NEXT;
    } finally {
      if (isRetry) this.budget.release();
      if (!(hasResult && attempt?.isStreaming === true)) attempt?.dispose();
    }
  }

  private readonly lengthOf = async (baseUrl: string, upstreamModel: string): Promise<number | undefined> =>
    (await this.catalog.factsOf(baseUrl, upstreamModel)).contextLength;

  /** @returns the error to end with when there is no other model to try */
  private async waitForSlot(
    { model, full }: FullDeployments,
    { call, deadline }: Progress<OperationName>,
  ): Promise<Attempt | GatewayError> {
    const { principal, source, signal } = call.context;
    const slot = await this.queue.wait({
      model,
      key: principal.keyId,
      deployments: full,
      isBatch: source === 'batch',
      maxWaitMs: deadline - performance.now(),
      signal,
    });
    if (slot instanceof Slot) return new Attempt(model, slot);
    return slot.isDrained === true ? allDrained(model) : stillFull(model, slot.retryAfterMs);
  }
}

/** A candidate that could not be tried. An earlier error of a provider is the better reason. */
function refused(refusal: GatewayError, progress: Progress<OperationName>): typeof NEXT {
  if (progress.failure === undefined || !progress.failure.retryable) progress.failure = refusal;
  return NEXT;
}
