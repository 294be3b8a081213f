import { Injectable } from '@nestjs/common';
import type { ShortCircuit } from '../calls/call-hook.js';
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
import { Candidates, stillFull, type FullDeployments } from './candidates.js';
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

/** How a response is had: from an attempt, or from a hook in place of all attempts. */
export interface Sender<Name extends OperationName, Result> {
  attempt(prepared: PreparedAttempt<Name>): Promise<Result>;
  shortCircuit(response: ShortCircuit<Name>, servedBy: ServedBy): Result;
}

/** What the attempts of one call have in common. */
interface Progress<Name extends OperationName> {
  readonly call: TrackedCall<Name>;
  readonly route: CallRoute;
  readonly allowed: AllowedRequest<Name>;
  readonly admissions: ModelAdmissions;
  readonly candidates: Candidates;
  /** By `performance.now()`. */
  readonly deadline: number;
  attempts: number;
  /** Attempts that failed, as opposed to being refused. */
  failures: number;
  /** The reason of the last one. */
  failure: GatewayError | undefined;
}

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
  ) {}

  /** @throws GatewayError the last deployment's reason, or why none was tried; the reason of an abort */
  async run<Name extends OperationName, Result>(
    call: TrackedCall<Name>,
    sender: Sender<Name, Result>,
  ): Promise<Result> {
    const { operation, request, context } = call;
    const deadline = performance.now() + (context.overrides?.timeout ?? Infinity);
    const route = new CallRoute(call, this.routing);
    const allowed = withoutOperatorOptions(operation, request, context.headers, context.principal);
    const hooked = call.hooks.before(call);
    const shortCircuit = hooked === undefined ? undefined : await hooked;
    if (shortCircuit !== undefined) {
      call.shortCircuited({ source: shortCircuit.source, model: route.model.id });
      return sender.shortCircuit(shortCircuit, servedByHook(shortCircuit, route));
    }
    const admissions = new ModelAdmissions(this.limits, call);
    const admitted = admissions.first(route.model, () => route.models());
    if (admitted !== undefined) await admitted;
    context.signal.throwIfAborted();
    this.budget.deposit();
    const candidates = new Candidates(this.deployments, this.queue, call);
    const progress: Progress<Name> = {
      call,
      route,
      allowed,
      admissions,
      candidates,
      deadline,
      attempts: 0,
      failures: 0,
      failure: undefined,
    };
    for (const candidate of candidates.of(
      route.models(),
      {
        named: operation.cacheKeyOf(request) ?? context.session?.key,
        derived: () => operation.conversationOf(request),
      },
      operation.preferredProvider(request),
    )) {
      const outcome = await this.try(candidate, progress, sender);
      if (outcome === STOP) break;
      if (outcome !== NEXT) return outcome;
    }
    throw progress.failure ?? upstreamError({ message: 'No deployment of this model could be tried.' });
  }

  /** One candidate. Its attempt is disposed of here, unless it is a stream, which disposes of the attempt at its end. */
  private async try<Name extends OperationName, Result>(
    candidate: Attempt | FullDeployments,
    progress: Progress<Name>,
    sender: Sender<Name, Result>,
  ): Promise<Result | typeof NEXT | typeof STOP> {
    const { call, candidates } = progress;
    const { signal } = call.context;
    let attempt = candidate instanceof Attempt ? candidate : undefined;
    let isRetry = false;
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
      if (progress.attempts > 0 && !(await call.mayTryAgain())) return STOP;
      // A deployment that refused the request did no work, so that another one takes nothing from the budget of retries.
      if (progress.failures > 0) {
        if (performance.now() >= progress.deadline || !this.budget.tryAcquire()) return STOP;
        isRetry = true;
        await delay(Math.random() * FIRST_PAUSE_MS * 2 ** (progress.failures - 1), signal);
      }
      progress.attempts += 1;
      const result = await sender.attempt(this.prepare(attempt, progress));
      hasResult = true;
      return result;
    } catch (error) {
      // Without an attempt it was the wait for one that failed.
      if (attempt === undefined) throw error;
      call.attemptEnds(error);
      const isOfProvider = error instanceof GatewayError && !attempt.isEndedByCaller && !signal.aborted;
      if (isOfProvider && error.retryable && !error.rejectedByGateway) attempt.slot.failed(error);
      else attempt.slot.recordNeutral();
      if (!isOfProvider) throw error;
      if (error.retryable) {
        progress.failures += 1;
        candidates.hasFailed = true;
      }
      progress.failure = error;
      return NEXT;
    } finally {
      if (isRetry) this.budget.release();
      if (!(hasResult && attempt?.isStreaming === true)) attempt?.dispose();
    }
  }

  private prepare<Name extends OperationName>(
    attempt: Attempt,
    { call, allowed, attempts, deadline }: Progress<Name>,
  ): PreparedAttempt<Name> {
    const model = attempt.model.id;
    const { deployment } = attempt.slot;
    const { timeouts, upstreamModel, provider } = deployment;
    const port = portOf(provider, call);
    if (port === undefined) throw operationNotServed(call, model, [provider.name]);
    const signal = attempt.start(call.context.signal, { total: timeouts.total, left: deadline - performance.now() });
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
    return slot instanceof Slot ? new Attempt(model, slot) : stillFull(model, slot.retryAfter);
  }
}

/** A candidate that could not be tried; what providers have said before is the better reason. */
function refused(refusal: GatewayError, progress: Progress<OperationName>): typeof NEXT {
  if (progress.failure === undefined || !progress.failure.retryable) progress.failure = refusal;
  return NEXT;
}

function servedByHook({ source }: ShortCircuit<OperationName>, { model }: CallRoute): ServedBy {
  return { model: model.id, provider: source, attempts: 0, droppedParams: [], rateLimits: undefined };
}
