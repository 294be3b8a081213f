import type { CallContext } from '../calls/call-context.js';
import { Injectable, Optional } from '@nestjs/common';
import { mayCallModel } from '../auth/may-call-model.js';
import { GatewayError, permissionDenied, upstreamError } from '../errors/gateway-error.js';
import { Pricing } from '../pricing/pricing.service.js';
import type { ProviderCall } from '../providers/chat-provider.js';
import { DeploymentLimiter, Slot } from '../routing/deployments/deployment-limiter.js';
import { Deployments } from '../routing/deployments/deployments.service.js';
import type { ResolvedModel } from '../routing/resolved-model.js';
import { Routing } from '../routing/routing.service.js';
import type { RoutingTable } from '../routing/routing-table.js';
import { Limits } from '../limits/limits.service.js';
import { Attempt } from './attempt.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';
import type { Principal } from '../auth/principal.js';
import { CallEvents } from '../calls/call-events.js';
import { CallTracing } from '../calls/call-tracing.js';
import { Candidates, stillFull, type Candidate, type FullDeployments } from './candidates.js';
import { ClientChunks } from './client-chunks.js';
import type { ChatCompletion, ChatRequest } from '../operations/chat/chat-completion.js';
import { ModelAdmissions } from './model-admissions.js';
import { delay } from '../runtime/delay.js';
import { withoutOperatorOptions, type AllowedRequest } from './provider-options.js';
import { RetryBudget } from './retry-budget.js';
import type { StreamedChunk } from '../operations/chat/preserialized-chunk.js';
import { TrackedCall, type CostOf } from './tracked-call.js';

/** Which deployment answered. */
export interface ServedBy {
  /** The configured model. */
  readonly model: string;
  readonly provider: string;
  /** Upstream calls that it took, 1 or more. */
  readonly attempts: number;
  /** Fields of the request that the provider cannot take and did not get; empty as a rule. */
  readonly droppedParams: readonly string[];
  /** `x-ratelimit-*`; undefined where nothing is limited. */
  readonly rateLimits: Readonly<Record<string, string>> | undefined;
}

export interface ChatAnswer extends ServedBy {
  readonly completion: ChatCompletion;
  /** US dollars; null when the price or the usage is unknown. */
  readonly cost: number | null;
}

export interface ChatStream extends ServedBy {
  /**
   * In the contract's order, without the usage chunk unless the client asked for it. Throws a GatewayError when the
   * stream breaks.
   */
  readonly chunks: AsyncIterable<readonly StreamedChunk[]>;
  /** Aborted when the client has gone, and when the total timeout is over. */
  readonly signal: CancelSignal;
  /**
   * Must be called when the stream has been sent or could not be: frees all that it still holds, at the deployment and in
   * limits, and ends the provider's stream. Does nothing where the stream has ended.
   *
   * @param error what kept it from being sent
   */
  readonly close: (error?: unknown) => void;
}

/** Bound of the pause before a second attempt, in milliseconds; it doubles with each further one. */
const PAUSE = 25;

/** The model of a request and those that it may fall back to. */
interface Route {
  readonly model: ResolvedModel;
  readonly fallbacks: readonly string[];
}

/** What one attempt is made with. */
interface PreparedAttempt {
  readonly call: ProviderCall;
  readonly attempt: Attempt;
  readonly servedBy: ServedBy;
}

/** Resolves the model, checks that the key may call it, and tries its deployments until one gives the first byte. */
@Injectable()
export class ChatService {
  private readonly budget = new RetryBudget();

  constructor(
    private readonly pricing: Pricing,
    private readonly routing: Routing,
    private readonly deployments: Deployments,
    private readonly queue: DeploymentLimiter,
    private readonly limits: Limits,
    private readonly events: CallEvents,
    @Optional() private readonly tracing?: CallTracing,
  ) {}

  /** @throws GatewayError as of contract; an abort rejects with the signal's reason */
  async complete(request: ChatRequest, context: CallContext): Promise<ChatAnswer> {
    const tracked = this.track(request, context, false);
    try {
      const answer = await this.attempt(request, context, tracked, async ({ call, attempt, servedBy }) => {
        const { deployment, health } = attempt.place;
        const completion = await deployment.provider.complete(call);
        health.answered(tracked.answers());
        attempt.dispose();
        return Object.assign(servedBy, { completion });
      });
      tracked.completed(answer.completion);
      return Object.assign(answer, { cost: await tracked.cost() });
    } catch (error) {
      tracked.broken(error);
      throw error;
    }
  }

  /** Resolves with the first event, so that an upstream that refuses still gives a real status. */
  async stream(request: ChatRequest, context: CallContext): Promise<ChatStream> {
    const tracked = this.track(request, context, true);
    const wantsUsage = request.stream_options?.include_usage === true;
    try {
      return await this.attempt(request, context, tracked, async ({ call, attempt, servedBy }) => {
        const { deployment, health } = attempt.place;
        const stream = await deployment.provider.stream(call);
        const chunks = new ClientChunks(stream, wantsUsage, attempt, tracked);
        health.answered(tracked.answers());
        const close = (error?: unknown): void => chunks.close(error);
        return Object.assign(servedBy, { chunks, signal: call.signal, close });
      });
    } catch (error) {
      tracked.broken(error);
      throw error;
    }
  }

  /**
   * Tries each deployment of the model, then of its fallbacks, until one succeeds. A deployment that fails or that cannot
   * serve the request gives way to the next one, and the last one's reason is the client's. `send` disposes of the attempt,
   * or hands it over, when it succeeds; when it fails that is done here.
   */
  private async attempt<Answer>(
    request: ChatRequest,
    context: CallContext,
    tracked: TrackedCall,
    send: (prepared: PreparedAttempt) => Promise<Answer>,
  ): Promise<Answer> {
    let attempts = 0;
    let failures = 0;
    let failure: GatewayError | undefined;
    const giveUpAt = performance.now() + (context.overrides?.timeout ?? Infinity);
    const route = this.route(request, context, tracked.table);
    const allowed = withoutOperatorOptions(request, context.headers, context.principal);
    const models = (): Generator<ResolvedModel> => this.withFallbacks(route, tracked.table);
    const admissions = new ModelAdmissions(this.limits, request, context, tracked);
    const admitted = admissions.first(route.model, models);
    if (admitted !== undefined) await admitted;
    context.signal.throwIfAborted();
    this.budget.deposit();
    const candidates = new Candidates(this.deployments, this.queue, context.principal.keyId);
    for (const step of candidates.of(request, models())) {
      const candidate = await this.admitted(step, admissions, route, context, giveUpAt);
      if (candidate instanceof GatewayError) {
        if (failure === undefined || !failure.retryable) failure = candidate;
        continue;
      }
      const attempt = new Attempt(candidate.place);
      const { place } = attempt;
      if (attempts > 0 && !(await tracked.mayTryAgain())) {
        attempt.dispose();
        break;
      }
      // A deployment that refused the request did no work, so that another one takes nothing from the budget of retries.
      const isRetry = failures > 0;
      if (isRetry && (performance.now() >= giveUpAt || !this.budget.tryAcquire())) {
        attempt.dispose();
        break;
      }
      try {
        if (isRetry) await delay(Math.random() * PAUSE * 2 ** (failures - 1), context.signal);
        attempts += 1;
        return await send(
          this.prepare(attempt, candidate.model.id, attempts, giveUpAt - performance.now(), allowed, context, tracked),
        );
      } catch (error) {
        tracked.attemptEnds(error);
        const isOfProvider = error instanceof GatewayError && !attempt.isEndedByCaller && !context.signal.aborted;
        if (isOfProvider && error.retryable && !error.rejectedByGateway) place.failed(error);
        else place.recordNeutral();
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

  private prepare(
    attempt: Attempt,
    model: string,
    attempts: number,
    left: number,
    allowed: AllowedRequest,
    context: CallContext,
    tracked: TrackedCall,
  ): PreparedAttempt {
    const { deployment } = attempt.place;
    const { timeouts, upstreamModel, provider } = deployment;
    const signal = attempt.start(context.signal, { total: timeouts.total, left });
    const droppedParams = [...allowed.dropped];
    tracked.droppedParams = droppedParams;
    const headers = tracked.attemptBegins(model, deployment, allowed.headers);
    const call: ProviderCall = {
      request: allowed.request,
      upstreamModel,
      timeouts,
      requestId: context.requestId,
      headers,
      signal,
      onDroppedParams: (names) => droppedParams.push(...names.filter((name) => !droppedParams.includes(name))),
    };
    const rateLimits = tracked.admission?.headers;
    return { call, attempt, servedBy: { model, provider: provider.name, attempts, droppedParams, rateLimits } };
  }

  /**
   * A step with a place that may be used now.
   *
   * @returns the error to end with when there is no other model to try
   */
  private async admitted(
    step: Candidate | FullDeployments,
    admissions: ModelAdmissions,
    route: Route,
    context: CallContext,
    giveUpAt: number,
  ): Promise<Candidate | GatewayError> {
    if (step.model !== route.model) {
      let isAdmitted = false;
      try {
        const refusal = await admissions.fallback(step.model);
        if (refusal !== undefined) return refusal;
        isAdmitted = true;
      } finally {
        if (!isAdmitted && 'place' in step) step.place.free();
      }
    }
    return 'full' in step ? this.waitForPlace(step, context, giveUpAt) : step;
  }

  private readonly costOf: CostOf = (tokens, deployment) => this.pricing.costOf(tokens, deployment);

  private track(request: ChatRequest, context: CallContext, isStream: boolean): TrackedCall {
    const trace = this.tracing?.begin(request, context, isStream);
    return new TrackedCall(request, context, isStream, this.events, this.routing.current, this.costOf, trace);
  }

  /** @returns the error to end with when there is no other model to try */
  private async waitForPlace(
    { model, full }: FullDeployments,
    { principal, source, signal: signal }: CallContext,
    giveUpAt: number,
  ): Promise<Candidate | GatewayError> {
    const place = await this.queue.wait({
      model,
      key: principal.keyId,
      deployments: full,
      isBatch: source === 'batch',
      patience: giveUpAt - performance.now(),
      signal,
    });
    return place instanceof Slot ? { model, place } : stillFull(model, place.retryAfter);
  }

  /** @throws GatewayError 404 for a model that there is not, 403 for one that the key may not call */
  private route({ model: modelId }: ChatRequest, { principal, overrides }: CallContext, table: RoutingTable): Route {
    const model = this.allowed(modelId, principal, table);
    for (const id of overrides?.fallbacks ?? []) this.allowed(id, principal, table);
    // A fallback of the file is the operator's choice for this model, so the key needs no right of its own to it.
    return { model, fallbacks: overrides?.fallbacks ?? model.fallbacks };
  }

  private *withFallbacks({ model, fallbacks }: Route, table: RoutingTable): Generator<ResolvedModel> {
    yield model;
    for (const fallback of fallbacks) yield this.routing.resolve(fallback, table);
  }

  private allowed(modelId: string, principal: Principal, table: RoutingTable): ResolvedModel {
    const model = this.routing.resolve(modelId, table);
    // An alias is another name of a model that the key may call.
    if (mayCallModel(principal, modelId) || mayCallModel(principal, model.id)) return model;
    throw permissionDenied(`This key may not call the model '${modelId}'.`, 'model_not_allowed', 'model');
  }
}
