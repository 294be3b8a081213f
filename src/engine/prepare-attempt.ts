import type { OperationName, RequestOf } from '../operations/operation-types.js';
import type { ProviderCall } from '../providers/provider.js';
import type { Attempt } from './attempt.js';
import type { Progress } from './call-progress.js';
import type { PreparedAttempt, Resume } from './prepared-attempt.js';
import { operationNotServed, portOf } from './served-operation.js';
import { inTier } from './service-tier.js';

/**
 * Starts the timeout of an attempt, and puts together what its provider is sent.
 *
 * @param resume goes on with the call once the stream of this attempt has broken
 * @throws GatewayError where the provider does not have the operation
 */
export function prepareAttempt<Name extends OperationName>(
  attempt: Attempt,
  progress: Progress<Name>,
  resume: Resume<Name>,
): PreparedAttempt<Name> {
  const { call, allowed, attempts, deadline } = progress;
  const model = attempt.model.id;
  const { deployment } = attempt.slot;
  const { timeouts, upstreamModel, provider } = deployment;
  const port = portOf(provider, call);
  if (port === undefined) throw operationNotServed(call, model, [provider.name]);
  const signal = attempt.start(call.context.signal, { total: timeouts.total, left: deadline - performance.now() });
  const droppedParams = [...allowed.dropped];
  call.droppedParams = droppedParams;
  const headers = call.attemptBegins(model, deployment, allowed.headers);
  const providerHeaders: Record<string, string> = {};
  progress.providerHeaders = providerHeaders;
  const providerCall: ProviderCall<RequestOf<Name>> = {
    request: progress.requestOf?.(deployment) ?? inTier(call.operation, allowed.request, call.context),
    upstreamModel,
    timeouts,
    requestId: call.context.requestId,
    headers,
    signal,
    onSkippedEvent: () => (call.skippedEvents += 1),
    onDroppedParams: (names) => droppedParams.push(...names.filter((name) => !droppedParams.includes(name))),
    ...(call.context.serviceTier === undefined && { onHeaders: attempt.slot.health.onHeaders }),
    onResponseHeaders: (passed) => Object.assign(providerHeaders, passed),
  };
  const rateLimits = call.admission?.headers;
  return {
    port,
    providerCall,
    attempt,
    servedBy: { model, provider: provider.name, upstreamModel, attempts, droppedParams, rateLimits, providerHeaders },
    resume,
  };
}
