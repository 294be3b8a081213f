import { Injectable, Logger } from '@nestjs/common';
import { mayCallModel } from '../auth/may-call-model.js';
import type { CallContext } from '../calls/call-context.js';
import { describeError } from '../errors/describe-error.js';
import { GatewayError, permissionDenied } from '../errors/gateway-error.js';
import { estimatePromptTokens } from '../operations/chat/canonical/estimate-prompt-tokens.js';
import { SOURCE } from '../operations/chat/canonical/sources.js';
import { LinkedAbort } from '../runtime/linked-abort.js';
import type { ResolvedModel } from '../routing/resolved-model.js';
import { Routing } from '../routing/routing.service.js';
import type { WireRequest } from './chat-request-of.js';

/** How long a provider may count, before the estimate stands in. */
const COUNT_TIMEOUT_MS = 5_000;

/**
 * Counts the tokens of a prompt: by the provider where it counts, else by an estimate that errs high. It is no call of a model: it
 * costs nothing and counts against no limit.
 */
@Injectable()
export class TokenCounts {
  private readonly logger = new Logger('TokenCounts');

  constructor(private readonly routing: Routing) {}

  /** @throws GatewayError 404 for an unknown model, 403 for one that the key may not call, 400 of the provider for a bad request */
  async count(request: WireRequest, context: CallContext): Promise<number> {
    const model = this.allowed(request.model, context);
    const counted = await this.byProvider(model, request, context);
    return counted ?? estimatePromptTokens(request[SOURCE].canonical);
  }

  /** @throws GatewayError 404 for an unknown model, 403 for one that the key may not call */
  allowed(modelId: string, { principal }: CallContext): ResolvedModel {
    const model = this.routing.resolve(modelId);
    if (mayCallModel(principal, modelId) || mayCallModel(principal, model.id)) return model;
    throw permissionDenied(`This key may not call the model '${modelId}'.`, 'model_not_allowed', 'model');
  }

  private async byProvider(
    { deployments: [first] }: ResolvedModel,
    request: WireRequest,
    { requestId, headers, signal }: CallContext,
  ): Promise<number | undefined> {
    if (first === undefined) return undefined;
    const { provider, upstreamModel, timeouts } = first;
    const timeout = new LinkedAbort(signal);
    const timer = setTimeout(() => timeout.abort(), COUNT_TIMEOUT_MS);
    try {
      return await timeout.race(
        provider.countTokens({ request, upstreamModel, timeouts, requestId, headers, signal: timeout.signal }),
      );
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof GatewayError && error.status === 400 && error.upstream !== undefined) throw error;
      this.logger.debug({ msg: 'a provider did not count', provider: provider.name, error: describeError(error) });
      return undefined;
    } finally {
      clearTimeout(timer);
      timeout.abort();
    }
  }
}
