import { Injectable } from '@nestjs/common';
import { mayCallModel } from '../auth/may-call-model.js';
import type { Principal } from '../auth/principal.js';
import { GatewayError, permissionDenied, rateLimitExceeded, upstreamError } from '../errors/gateway-error.js';
import { ModelsService } from '../models/models.service.js';
import type { ProviderCall } from '../models/providers/chat-provider.js';
import type { DeploymentHealth } from '../models/deployments/deployment-health.js';
import { Deployments } from '../models/deployments/deployments.service.js';
import type { Deployment, ResolvedModel } from '../models/resolved-model.js';
import { CallDeadline } from './call-deadline.js';
import { CallEvents } from './call-events.js';
import type { ChatCompletion, ChatCompletionChunk, ChatRequest } from './chat-completion.js';
import { orderDeployments, randomFor } from './deployment-order.js';
import { pause } from './pause.js';
import { RetryBudget } from './retry-budget.js';
import { TrackedCall } from './tracked-call.js';

/** Who calls and how long they wait; the same for a live request and a batch's task. */
export interface ChatContext {
  readonly principal: Principal;
  readonly requestId: string;
  /** Whether a client waits for the answer, or a batch. */
  readonly source: 'live' | 'batch';
  /** The client's headers that the allow-list lets through to the upstream, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when the client has gone, or when a shutdown runs out of patience. */
  readonly signal: AbortSignal;
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
  readonly chunks: AsyncIterable<readonly ChatCompletionChunk[]>;
}

/** Bound of the pause before a second attempt, in milliseconds; it doubles with each further one. */
const PAUSE = 25;

interface Candidate {
  readonly model: string;
  readonly deployment: Deployment;
  readonly health: DeploymentHealth;
}

/** Resolves the model, checks that the key may call it, and tries its deployments until one gives the first byte. */
@Injectable()
export class ChatService {
  private readonly budget = new RetryBudget();

  constructor(
    private readonly models: ModelsService,
    private readonly deployments: Deployments,
    private readonly events: CallEvents,
  ) {}

  /** @throws GatewayError as of contract; an abort rejects with the signal's reason */
  async complete(request: ChatRequest, context: ChatContext): Promise<ChatAnswer> {
    const tracked = new TrackedCall(request, context, false, this.events);
    try {
      const answer = await this.attempt(
        request,
        context,
        tracked,
        async (call, { deployment, health }, deadline, servedBy) => {
          try {
            const completion = await deployment.provider.complete(call);
            health.answered(tracked.answers());
            return { ...servedBy, completion, deployment };
          } finally {
            deadline.clear();
            health.end();
          }
        },
      );
      const { deployment, ...served } = answer;
      tracked.completed(answer.completion);
      const { usage } = answer.completion;
      return { ...served, cost: usage === undefined ? null : await this.models.costOf(usage, deployment) };
    } catch (error) {
      tracked.broken(error);
      throw error;
    }
  }

  /** Resolves with the first event, so that an upstream that refuses still gives a real status. */
  async stream(request: ChatRequest, context: ChatContext): Promise<ChatStream> {
    const tracked = new TrackedCall(request, context, true, this.events);
    const wantsUsage = request.stream_options?.include_usage === true;
    try {
      return await this.attempt(request, context, tracked, async (call, { deployment, health }, deadline, servedBy) => {
        try {
          const chunks = await deployment.provider.stream(call);
          health.answered(tracked.answers());
          return { ...servedBy, chunks: forClient(chunks, wantsUsage, deadline, health, tracked) };
        } catch (error) {
          deadline.clear();
          health.end();
          throw error;
        }
      });
    } catch (error) {
      tracked.broken(error);
      throw error;
    }
  }

  /** Tries each deployment of the model, then of its fallbacks, until one succeeds or a failure is not retryable. */
  private async attempt<Answer>(
    request: ChatRequest,
    context: ChatContext,
    tracked: TrackedCall,
    call: (call: ProviderCall, candidate: Candidate, deadline: CallDeadline, servedBy: ServedBy) => Promise<Answer>,
  ): Promise<Answer> {
    let attempts = 0;
    let failure: GatewayError | undefined;
    this.budget.earn();
    for (const candidate of this.candidates(request, context.principal)) {
      const { model, deployment, health } = candidate;
      const isRetry = attempts > 0;
      if (isRetry && !this.budget.take()) break;
      try {
        if (isRetry) await pause(Math.random() * PAUSE * 2 ** (attempts - 1), context.signal);
        attempts += 1;
        const deadline = new CallDeadline(context.signal, deployment.timeouts.total);
        const droppedParams: string[] = [];
        health.begin();
        tracked.attemptBegins(model, deployment);
        return await call(
          {
            request,
            upstreamModel: deployment.upstreamModel,
            timeouts: deployment.timeouts,
            requestId: context.requestId,
            headers: context.headers,
            signal: deadline.signal,
            onDroppedParams: (names) => droppedParams.push(...names.filter((name) => !droppedParams.includes(name))),
          },
          candidate,
          deadline,
          { model, provider: deployment.provider.name, attempts, droppedParams },
        );
      } catch (error) {
        tracked.attemptFails(error);
        const isFault = !context.signal.aborted && error instanceof GatewayError && error.retryable;
        if (!isFault) {
          health.neither();
          throw error;
        }
        health.failed(error);
        failure = error;
      } finally {
        if (isRetry) this.budget.release();
      }
    }
    throw failure ?? upstreamError({ message: 'No deployment of this model could be tried.' });
  }

  /**
   * The deployments to try, in order: those of the model and then of its fallbacks, without those whose breaker is open
   * or that asked for a pause. Where all breakers are open the first deployment is tried all the same: the last one
   * standing is never given up. Lazily, so that the fallbacks of a healthy model are never resolved.
   *
   * @throws GatewayError 429 when every deployment asked for a pause
   */
  private *candidates(request: ChatRequest, principal: Principal): Generator<Candidate> {
    const { model: modelId } = request;
    const model = this.models.resolve(modelId);
    if (!mayCallModel(principal, modelId)) {
      throw permissionDenied(`This key may not call the model '${modelId}'.`, 'model_not_allowed', 'model');
    }
    let tried = 0;
    let spare: Candidate | undefined;
    let shortestWait = Infinity;
    // A fallback is the operator's choice for this model, so the key needs no right of its own to it.
    for (const resolved of this.withFallbacks(model)) {
      for (const deployment of orderDeployments(resolved, this.deployments, randomFor(request))) {
        const health = this.deployments.healthOf(deployment);
        const candidate = { model: resolved.id, deployment, health };
        if (health.wait > 0) shortestWait = Math.min(shortestWait, health.wait);
        else if (health.admits) {
          tried += 1;
          yield candidate;
        } else spare ??= candidate;
      }
    }
    if (tried > 0) return;
    if (spare !== undefined) yield spare;
    else if (shortestWait < Infinity) throw stillWaiting(shortestWait);
  }

  private *withFallbacks(model: ResolvedModel): Generator<ResolvedModel> {
    yield model;
    for (const fallback of model.fallbacks) yield this.models.resolve(fallback);
  }
}

/** The upstream said when it wants to be asked again; asking earlier would only make it wait longer. */
function stillWaiting(milliseconds: number): GatewayError {
  const whole = Math.ceil(milliseconds);
  return rateLimitExceeded({
    message: `The provider is rate limiting this model. Retry after ${Math.ceil(whole / 1_000)} s.`,
    retryAfterMs: whole,
  });
}

/** Drops the usage chunk where the client did not ask for it, and lets go of the deadline and reports at the end. */
async function* forClient(
  chunks: AsyncIterable<readonly ChatCompletionChunk[]>,
  wantsUsage: boolean,
  deadline: CallDeadline,
  health: DeploymentHealth,
  tracked: TrackedCall,
): AsyncGenerator<readonly ChatCompletionChunk[]> {
  let failure: unknown;
  let isWhole = false;
  try {
    for await (const group of chunks) {
      tracked.streamed(group);
      if (wantsUsage || !group.some(isUsageChunk)) yield group;
      else {
        const kept = group.filter((chunk) => !isUsageChunk(chunk));
        if (kept.length > 0) yield kept;
      }
    }
    isWhole = true;
  } catch (error) {
    failure = error;
    // Broken after its first byte: nothing to retry, but the deployment's fault nevertheless.
    if (error instanceof GatewayError && error.retryable && !deadline.isAbandoned) health.failed(error);
    throw error;
  } finally {
    deadline.clear();
    health.end();
    if (isWhole) tracked.streamEnded();
    else tracked.broken(failure);
  }
}

function isUsageChunk(chunk: ChatCompletionChunk): boolean {
  return chunk.choices.length === 0 && chunk.usage != null;
}
