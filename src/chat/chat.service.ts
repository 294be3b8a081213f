import { Injectable } from '@nestjs/common';
import { mayCallModel } from '../auth/may-call-model.js';
import type { Principal } from '../auth/principal.js';
import { GatewayError, permissionDenied, upstreamError } from '../errors/gateway-error.js';
import { ModelsService } from '../models/models.service.js';
import type { ProviderCall } from '../models/providers/chat-provider.js';
import type { Deployment } from '../models/resolved-model.js';
import { CallDeadline } from './call-deadline.js';
import type { ChatCompletion, ChatCompletionChunk, ChatRequest } from './chat-completion.js';
import { orderDeployments } from './deployment-order.js';

/** Who calls and how long they wait; the same for a live request and a batch's task. */
export interface ChatContext {
  readonly principal: Principal;
  readonly requestId: string;
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

/** Resolves the model, checks that the key may call it, and tries its deployments until one gives the first byte. */
@Injectable()
export class ChatService {
  constructor(private readonly models: ModelsService) {}

  /** @throws GatewayError as of contract; an abort rejects with the signal's reason */
  async complete(request: ChatRequest, context: ChatContext): Promise<ChatAnswer> {
    return this.attempt(request, context, async (call, deployment, deadline, servedBy) => {
      try {
        const completion = await deployment.provider.complete(call);
        const { usage } = completion;
        const cost = usage === undefined ? null : await this.models.costOf(usage, deployment);
        return { ...servedBy, completion, cost };
      } finally {
        deadline.clear();
      }
    });
  }

  /** Resolves with the first event, so that an upstream that refuses still gives a real status. */
  async stream(request: ChatRequest, context: ChatContext): Promise<ChatStream> {
    const wantsUsage = request.stream_options?.include_usage === true;
    return this.attempt(request, context, async (call, deployment, deadline, servedBy) => {
      try {
        const chunks = await deployment.provider.stream(call);
        return { ...servedBy, chunks: forClient(chunks, wantsUsage, deadline) };
      } catch (error) {
        deadline.clear();
        throw error;
      }
    });
  }

  /** Tries each deployment of the model, then of its fallbacks, until one succeeds or a failure is not retryable. */
  private async attempt<Answer>(
    request: ChatRequest,
    context: ChatContext,
    call: (call: ProviderCall, deployment: Deployment, deadline: CallDeadline, servedBy: ServedBy) => Promise<Answer>,
  ): Promise<Answer> {
    let attempts = 0;
    let failure: GatewayError | undefined;
    for (const { model, deployment } of this.candidates(request.model, context.principal)) {
      attempts += 1;
      const deadline = new CallDeadline(context.signal, deployment.timeouts.total);
      try {
        return await call(
          {
            request,
            upstreamModel: deployment.upstreamModel,
            timeouts: deployment.timeouts,
            requestId: context.requestId,
            headers: context.headers,
            signal: deadline.signal,
          },
          deployment,
          deadline,
          { model, provider: deployment.provider.name, attempts },
        );
      } catch (error) {
        if (context.signal.aborted || !(error instanceof GatewayError) || !error.retryable) throw error;
        failure = error;
      }
    }
    throw failure ?? upstreamError({ message: 'No deployment of this model could be tried.' });
  }

  /** Lazily, so that the fallbacks of a healthy model are never resolved. */
  private *candidates(modelId: string, principal: Principal): Generator<{ model: string; deployment: Deployment }> {
    const model = this.models.resolve(modelId);
    if (!mayCallModel(principal, modelId)) {
      throw permissionDenied(`This key may not call the model '${modelId}'.`, 'model_not_allowed', 'model');
    }
    for (const deployment of orderDeployments(model, Math.random)) yield { model: model.id, deployment };
    for (const fallback of model.fallbacks) {
      // A fallback is the operator's choice for this model, so the key needs no right of its own to it.
      const resolved = this.models.resolve(fallback);
      for (const deployment of orderDeployments(resolved, Math.random)) yield { model: resolved.id, deployment };
    }
  }
}

/** Drops the usage chunk where the client did not ask for it, and lets go of the deadline at the end. */
async function* forClient(
  chunks: AsyncIterable<readonly ChatCompletionChunk[]>,
  wantsUsage: boolean,
  deadline: CallDeadline,
): AsyncGenerator<readonly ChatCompletionChunk[]> {
  try {
    for await (const group of chunks) {
      if (wantsUsage || !group.some(isUsageChunk)) yield group;
      else {
        const kept = group.filter((chunk) => !isUsageChunk(chunk));
        if (kept.length > 0) yield kept;
      }
    }
  } finally {
    deadline.clear();
  }
}

function isUsageChunk(chunk: ChatCompletionChunk): boolean {
  return chunk.choices.length === 0 && chunk.usage != null;
}
