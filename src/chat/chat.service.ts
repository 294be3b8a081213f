import { Injectable, Optional } from '@nestjs/common';
import type { Span } from '@opentelemetry/api';
import { mayCallModel } from '../auth/may-call-model.js';
import type { Principal } from '../auth/principal.js';
import {
  GatewayError,
  permissionDenied,
  rateLimitExceeded,
  upstreamError,
  upstreamUnavailable,
} from '../errors/gateway-error.js';
import { ModelsService } from '../models/models.service.js';
import type { ProviderCall } from '../models/providers/chat-provider.js';
import { DeploymentQueue, Place } from '../models/deployments/deployment-queue.js';
import { Deployments } from '../models/deployments/deployments.service.js';
import type { Deployment, ResolvedModel } from '../models/resolved-model.js';
import { Routing } from '../models/routing/routing.service.js';
import type { RoutingTable } from '../models/routing/routing-table.js';
import { Limits } from '../usage/limits/limits.service.js';
import { CallDeadline } from './call-deadline.js';
import type { Cancellation } from './cancellation.js';
import { CallEvents } from './call-events.js';
import type { TakeUsage } from './call-outcome.js';
import { CallTracing } from './call-tracing.js';
import { ClientChunks } from './client-chunks.js';
import type { ChatCompletion, ChatRequest, Usage } from './chat-completion.js';
import { orderDeployments, randomFor } from './deployment-order.js';
import { pause } from './pause.js';
import { RetryBudget } from './retry-budget.js';
import type { RoutingOverrides } from './routing-overrides.js';
import type { StreamedChunk } from './text-chunk.js';
import { TrackedCall } from './tracked-call.js';

/** Who calls and how long they wait; the same for a live request and a batch's task. */
export interface ChatContext {
  readonly principal: Principal;
  readonly requestId: string;
  /** Whether a client waits for the answer, or a batch. */
  readonly source: 'live' | 'batch';
  /** The client's headers that the allow-list lets through to the upstream, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** What a trusted key asked for in this request alone. */
  readonly overrides?: RoutingOverrides | undefined;
  /** The batch that the call is a task of. */
  readonly task?: { readonly jobId: string; readonly index: number } | undefined;
  /**
   * Takes over the usage records of the call, which are then not written by the gateway itself: a batch writes them in the
   * transaction of the task's result. Called once, before the call resolves or rejects; the promise never rejects.
   */
  readonly takeUsage?: TakeUsage | undefined;
  /** Of the HTTP request, where tracing is on. */
  readonly span?: Span | undefined;
  /** Aborted when the client has gone, or when a shutdown runs out of patience. */
  readonly signal: Cancellation;
}

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
   * stream breaks. Must be iterated or returned, so that the upstream's socket is let go.
   */
  readonly chunks: AsyncIterable<readonly StreamedChunk[]>;
  /** Aborted when the client has gone, and when the total timeout is over. */
  readonly signal: Cancellation;
}

/** Bound of the pause before a second attempt, in milliseconds; it doubles with each further one. */
const PAUSE = 25;

interface Candidate {
  readonly model: string;
  readonly place: Place;
}

/** Deployments that could be called if they had not as many calls as they may. */
interface Full {
  readonly model: ResolvedModel;
  readonly full: readonly Deployment[];
}

/** The model of a request and those that it may fall back to. */
interface Route {
  readonly model: ResolvedModel;
  readonly fallbacks: readonly string[];
}

/** What one attempt is made with. */
interface Attempt {
  readonly call: ProviderCall;
  readonly place: Place;
  readonly deadline: CallDeadline;
  readonly servedBy: ServedBy;
}

/** Resolves the model, checks that the key may call it, and tries its deployments until one gives the first byte. */
@Injectable()
export class ChatService {
  private readonly budget = new RetryBudget();

  constructor(
    private readonly models: ModelsService,
    private readonly routing: Routing,
    private readonly deployments: Deployments,
    private readonly queue: DeploymentQueue,
    private readonly limits: Limits,
    private readonly events: CallEvents,
    @Optional() private readonly tracing?: CallTracing,
  ) {}

  /** @throws GatewayError as of contract; an abort rejects with the signal's reason */
  async complete(request: ChatRequest, context: ChatContext): Promise<ChatAnswer> {
    const tracked = this.track(request, context, false);
    try {
      const answer = await this.attempt(request, context, tracked, async ({ call, place, deadline, servedBy }) => {
        const completion = await place.deployment.provider.complete(call);
        place.health.answered(tracked.answers());
        deadline.clear();
        place.free();
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
  async stream(request: ChatRequest, context: ChatContext): Promise<ChatStream> {
    const tracked = this.track(request, context, true);
    const wantsUsage = request.stream_options?.include_usage === true;
    try {
      return await this.attempt(request, context, tracked, async ({ call, place, deadline, servedBy }) => {
        const chunks = await place.deployment.provider.stream(call);
        place.health.answered(tracked.answers());
        const forClient = new ClientChunks(chunks, wantsUsage, deadline, place, tracked);
        return Object.assign(servedBy, { chunks: forClient, signal: deadline });
      });
    } catch (error) {
      tracked.broken(error);
      throw error;
    }
  }

  /**
   * Tries each deployment of the model, then of its fallbacks, until one succeeds or a failure is not retryable. `send` frees
   * the place and clears the deadline when it succeeds; when it fails that is done here.
   */
  private async attempt<Answer>(
    request: ChatRequest,
    context: ChatContext,
    tracked: TrackedCall,
    send: (attempt: Attempt) => Promise<Answer>,
  ): Promise<Answer> {
    let attempts = 0;
    let failure: GatewayError | undefined;
    const giveUpAt = performance.now() + (context.overrides?.timeout ?? Infinity);
    const route = this.route(request, context, tracked.table);
    const admission = this.limits.admit({
      request,
      accounts: context.principal.accounts,
      model: route.model,
      isPatient: context.source === 'batch',
      signal: context.signal,
      deployments: () => [...this.withFallbacks(route, tracked.table)].flatMap(({ deployments }) => deployments),
    });
    if (admission !== undefined) tracked.admission = await admission;
    context.signal.throwIfAborted();
    this.budget.earn();
    for (const step of this.candidates(request, route, tracked.table)) {
      const candidate = 'full' in step ? await this.waitForPlace(step, context, giveUpAt) : step;
      if (candidate instanceof GatewayError) {
        failure ??= candidate;
        continue;
      }
      const { model, place } = candidate;
      const { deployment, health } = place;
      const isRetry = attempts > 0;
      if (isRetry && (performance.now() >= giveUpAt || !this.budget.take())) {
        place.free();
        break;
      }
      let deadline: CallDeadline | undefined;
      try {
        if (isRetry) await pause(Math.random() * PAUSE * 2 ** (attempts - 1), context.signal);
        attempts += 1;
        deadline = new CallDeadline(context.signal, Math.min(deployment.timeouts.total, giveUpAt - performance.now()));
        const droppedParams: string[] = [];
        const headers = tracked.attemptBegins(model, deployment);
        const call: ProviderCall = {
          request,
          upstreamModel: deployment.upstreamModel,
          timeouts: deployment.timeouts,
          requestId: context.requestId,
          headers,
          signal: deadline,
          onDroppedParams: (names) => droppedParams.push(...names.filter((name) => !droppedParams.includes(name))),
        };
        const rateLimits = tracked.admission?.headers;
        const servedBy = { model, provider: deployment.provider.name, attempts, droppedParams, rateLimits };
        return await send({ call, place, deadline, servedBy });
      } catch (error) {
        deadline?.clear();
        tracked.attemptEnds(error);
        const isFault = !context.signal.aborted && error instanceof GatewayError && error.retryable;
        if (isFault) health.failed(error);
        else health.neither();
        place.free();
        if (!isFault) throw error;
        failure = error;
      } finally {
        if (isRetry) this.budget.release();
      }
    }
    throw failure ?? upstreamError({ message: 'No deployment of this model could be tried.' });
  }

  private readonly costOf = (usage: Usage, deployment: Deployment): Promise<number | null> =>
    this.models.costOf(usage, deployment);

  private track(request: ChatRequest, context: ChatContext, isStream: boolean): TrackedCall {
    const trace = this.tracing?.begin(request, context, isStream);
    return new TrackedCall(request, context, isStream, this.events, this.routing.current, this.costOf, trace);
  }

  /** @returns the error to end with when there is no other model to try */
  private async waitForPlace(
    { model, full }: Full,
    { source, signal }: ChatContext,
    giveUpAt: number,
  ): Promise<Candidate | GatewayError> {
    const patience = giveUpAt - performance.now();
    const place = await this.queue.wait({ model, deployments: full, isBatch: source === 'batch', patience, signal });
    return place instanceof Place ? { model: model.id, place } : stillFull(model, place.retryAfter);
  }

  /**
   * The deployments to try, in order: those of the model and then of its fallbacks, without those whose breaker is open
   * or that asked for a pause. Those that are full are waited for when the others of their model have failed. Where all
   * breakers are open the first deployment is tried all the same: the last one standing is never given up. Lazily, so that
   * the fallbacks of a healthy model are never resolved.
   *
   * @throws GatewayError 429 when every deployment asked for a pause
   */
  private *candidates(request: ChatRequest, route: Route, table: RoutingTable): Generator<Candidate | Full> {
    let tried = 0;
    let spare: { model: string; deployment: Deployment } | undefined;
    let shortestWait = Infinity;
    for (const resolved of this.withFallbacks(route, table)) {
      let full: Deployment[] | undefined;
      for (const deployment of orderDeployments(resolved, this.deployments, randomFor(request))) {
        const health = this.deployments.healthOf(deployment);
        if (health.wait > 0) shortestWait = Math.min(shortestWait, health.wait);
        else if (!health.admits) spare ??= { model: resolved.id, deployment };
        else {
          const place = this.queue.take(deployment);
          if (place === undefined) (full ??= []).push(deployment);
          else {
            tried += 1;
            yield { model: resolved.id, place };
          }
        }
      }
      if (full !== undefined) {
        tried += 1;
        yield { model: resolved, full };
      }
    }
    if (tried > 0) return;
    const place = spare === undefined ? undefined : this.queue.take(spare.deployment);
    if (spare !== undefined && place !== undefined) yield { model: spare.model, place };
    else if (shortestWait < Infinity) throw stillWaiting(shortestWait);
  }

  /** @throws GatewayError 404 for a model that there is not, 403 for one that the key may not call */
  private route({ model: modelId }: ChatRequest, { principal, overrides }: ChatContext, table: RoutingTable): Route {
    const model = this.allowed(modelId, principal, table);
    for (const id of overrides?.fallbacks ?? []) this.allowed(id, principal, table);
    // A fallback of the file is the operator's choice for this model, so the key needs no right of its own to it.
    return { model, fallbacks: overrides?.fallbacks ?? model.fallbacks };
  }

  private *withFallbacks({ model, fallbacks }: Route, table: RoutingTable): Generator<ResolvedModel> {
    yield model;
    for (const fallback of fallbacks) yield this.models.resolve(fallback, table);
  }

  private allowed(modelId: string, principal: Principal, table: RoutingTable): ResolvedModel {
    const model = this.models.resolve(modelId, table);
    // An alias is another name of a model that the key may call.
    if (mayCallModel(principal, modelId) || mayCallModel(principal, model.id)) return model;
    throw permissionDenied(`This key may not call the model '${modelId}'.`, 'model_not_allowed', 'model');
  }
}

/** Every deployment has as many calls as it may, and the queue for them is full or would take too long. */
function stillFull({ id }: ResolvedModel, milliseconds: number): GatewayError {
  const whole = Math.ceil(milliseconds);
  return upstreamUnavailable({
    message: `All deployments of '${id}' have as many calls as they take, and the wait would be too long. Retry after ${Math.ceil(whole / 1_000)} s.`,
    retryAfterMs: whole,
    isOwnRefusal: true,
  });
}

/** The upstream said when it wants to be asked again; asking earlier would only make it wait longer. */
function stillWaiting(milliseconds: number): GatewayError {
  const whole = Math.ceil(milliseconds);
  return rateLimitExceeded({
    message: `The provider is rate limiting this model. Retry after ${Math.ceil(whole / 1_000)} s.`,
    retryAfterMs: whole,
    isOwnRefusal: true,
  });
}
