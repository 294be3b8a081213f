import { GatewayError } from '../../errors/gateway-error.js';
import { SOURCE, type RequestSource } from '../../operations/chat/canonical/sources.js';
import { unsupportedParameter } from '../../wire/openai-chat/unsupported-parameter.js';
import { withoutEncryptedReasoning } from '../../wire/openai-responses/native-input.js';
import type { Provider, ProviderCall } from '../provider.js';
import { NativeApiRouter, type ChatPort, type Send } from './native-api-router.js';

const REFUSED_REASONING = /invalid_encrypted_content|encrypted[ _]content/i;

/**
 * Sends requests that came by the Responses API to the provider's own, where it has one, and translated to its chat API where it
 * does not. Requests of other formats go to chat.
 */
export class ResponsesRouter extends NativeApiRouter {
  /**
   * @param chat serves all else
   * @param responses the provider's Responses API; undefined where it has none
   * @param isAssumed whether no setting says that it has one, so that a 404 means that it does not
   */
  constructor(chat: Provider, responses?: Provider, isAssumed = false) {
    super(chat, { wire: 'openai-responses', provider: responses, isAssumed });
  }

  override countTokens(call: ProviderCall): Promise<number | undefined> {
    const source = call.request[SOURCE];
    const native = this.nativeFor(source);
    if (source === undefined || native === undefined) return this.chat.countTokens(call);
    return native.countTokens(withBody(call, source, this.bodyFor(call, source)));
  }

  /** Reasoning that the provider cannot decrypt is left out, and the request is sent once more. */
  protected override async sendNative<Result>(
    port: ChatPort,
    call: ProviderCall,
    source: RequestSource,
    send: Send<Result>,
  ): Promise<Result> {
    const body = this.bodyFor(call, source);
    try {
      return await send(port, withBody(call, source, body));
    } catch (error) {
      const stripped = isRefusedReasoning(error) ? withoutEncryptedReasoning(body) : undefined;
      if (stripped === undefined) throw error;
      return send(port, withBody(call, source, stripped));
    }
  }

  /** @throws GatewayError 400 for what another format cannot hold */
  protected override forChat(call: ProviderCall, { refusal, dropped, body }: RequestSource): ProviderCall {
    if (refusal !== undefined) throw refusal;
    const [first] = dropped;
    if (first === undefined) return call;
    if (body['strict_params'] === true) throw unsupportedParameter(first);
    call.onDroppedParams?.(dropped);
    return call;
  }

  private bodyFor({ upstreamModel }: ProviderCall, { bodyFor, body }: RequestSource): RequestSource['body'] {
    return bodyFor?.(this.name, upstreamModel) ?? body;
  }
}

function withBody(call: ProviderCall, source: RequestSource, body: RequestSource['body']): ProviderCall {
  return { ...call, request: { ...call.request, [SOURCE]: { ...source, body } } };
}

function isRefusedReasoning(error: unknown): boolean {
  if (!(error instanceof GatewayError) || error.status !== 400 || error.rejectedByGateway) return false;
  return REFUSED_REASONING.test(`${error.code ?? ''} ${error.message}`);
}
