import type { CallContext } from '../calls/call-context.js';
import { SOURCE } from '../operations/chat/canonical/sources.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import type { Operation } from '../operations/operation.js';
import type { OperationName, RequestOf } from '../operations/operation-types.js';
import { hasFlexTier } from '../pricing/tier-price.js';
import type { Deployment } from '../routing/resolved-model.js';
import type { JsonObject } from '../runtime/json-value.js';

/** Whether a call may go to a deployment: one that is for a tier goes to those that have it. */
export function isInTier(deployment: Deployment, { serviceTier }: CallContext): boolean {
  return serviceTier === undefined || hasFlexTier(deployment);
}

/** The request with the tier of its call, where it names none itself. Other operations than chat have no tiers. */
export function inTier<Name extends OperationName>(
  { name }: Operation<Name>,
  request: RequestOf<Name>,
  { serviceTier }: CallContext,
): RequestOf<Name> {
  if (serviceTier === undefined || name !== 'chat') return request;
  return withTier(request as ChatRequest, serviceTier);
}

function withTier(request: ChatRequest, tier: string): ChatRequest {
  if (typeof request['service_tier'] === 'string' && request['service_tier'] !== 'auto') return request;
  const source = request[SOURCE];
  const changed = { ...request, service_tier: tier };
  if (source === undefined) return changed;
  const { bodyFor, wire } = source;
  // Only OpenAI's formats name the tier so.
  const named = (body: Readonly<JsonObject>): Readonly<JsonObject> =>
    wire === 'openai-responses' ? { ...body, service_tier: tier } : body;
  return {
    ...changed,
    [SOURCE]: {
      ...source,
      body: named(source.body),
      canonical: { ...source.canonical, serviceTier: tier },
      ...(bodyFor !== undefined && {
        bodyFor: (provider: string, upstreamModel: string) => named(bodyFor(provider, upstreamModel)),
      }),
    },
  };
}
