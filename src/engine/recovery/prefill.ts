import { GatewayError } from '../../errors/gateway-error.js';
import type { CanonicalMessage } from '../../operations/chat/canonical/blocks.js';
import { SOURCE } from '../../operations/chat/canonical/sources.js';
import type { ChatMessage, ChatRequest } from '../../operations/chat/chat-completion.js';
import { CHARACTERS_PER_TOKEN } from '../../operations/text-tokens.js';
import { prefillFormAt } from '../../providers/definitions/registry.js';
import type { Deployment } from '../../routing/resolved-model.js';

/** Deployments whose refusals are remembered; models outside the file come from clients. */
const MAX_REMEMBERED = 1_000;
/** Anthropic, Bedrock, Mistral, Gemini, vLLM and others, where the last turn is one of the assistant. */
const REFUSED =
  /pre-?fill|assistant (?:message|turn|role)|(?:end|last|final)[^.]{0,40}(?:user|assistant)|expected last role|roles must alternate|continue_final_message/i;

/** Which deployments go on from a beginning of the response that stands as the last turn. What one refuses is learned once. */
export class PrefillSupport {
  private readonly refused = new Set<string>();

  takes({ id, baseUrl, provider }: Deployment): boolean {
    return !this.refused.has(id) && prefillFormAt(baseUrl, provider.name) !== 'none';
  }

  /** @returns whether the error is a refusal, after which the request may be sent without the beginning */
  learn({ id }: Deployment, error: unknown): boolean {
    if (!(error instanceof GatewayError) || error.retryable || error.rejectedByGateway) return false;
    if (error.status !== 400 && error.status !== 422) return false;
    if (REFUSED.test(error.message) || REFUSED.test(error.code ?? '')) {
      if (this.refused.size >= MAX_REMEMBERED) this.refused.clear();
      this.refused.add(id);
    }
    return true;
  }
}

/**
 * The request with the beginning of its response as the last turn.
 *
 * @param text without white space at its end, which some providers refuse
 */
export function withPrefill(request: ChatRequest, text: string, { baseUrl, provider }: Deployment): ChatRequest {
  const spent = Math.ceil(text.length / CHARACTERS_PER_TOKEN);
  const message: ChatMessage = { role: 'assistant', content: text };
  const form = prefillFormAt(baseUrl, provider.name);
  if (form === 'prefix') message['prefix'] = true;
  const source = request[SOURCE];
  const changed: ChatRequest = {
    ...request,
    messages: [...request.messages, message],
    // Without these, such servers begin a new turn.
    ...(form === 'continue' && { continue_final_message: true, add_generation_prompt: false }),
    ...less(request, 'max_tokens', spent),
    ...less(request, 'max_completion_tokens', spent),
  };
  // The thinking is done, and providers that think refuse such a turn.
  for (const name of ['reasoning_effort', 'reasoning', 'thinking'])
    if (request[name] != null) changed[name] = undefined;
  if (source === undefined) return changed;
  const { reasoning: _reasoning, maxOutputTokens, ...canonical } = source.canonical;
  const turn: CanonicalMessage = { role: 'assistant', blocks: [{ type: 'text', text }] };
  return {
    ...changed,
    [SOURCE]: {
      ...source,
      isChanged: true,
      canonical: {
        ...canonical,
        messages: [...canonical.messages, turn],
        ...(maxOutputTokens !== undefined && { maxOutputTokens: Math.max(1, maxOutputTokens - spent) }),
      },
    },
  };
}

function less(request: ChatRequest, name: 'max_tokens' | 'max_completion_tokens', spent: number): Partial<ChatRequest> {
  const value = request[name];
  return typeof value === 'number' && value > 0 ? { [name]: Math.max(1, value - spent) } : {};
}
