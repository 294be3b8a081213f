import { GatewayError } from '../../errors/gateway-error.js';
import { SOURCE, type RequestSource } from '../../operations/chat/canonical/sources.js';
import type { ListedModel } from '../../wire/openai-chat/map-model-list.js';
import { unsupportedParameter } from '../../wire/openai-chat/unsupported-parameter.js';
import { withoutEncryptedReasoning } from '../../wire/openai-responses/native-input.js';
import { Provider, type OperationPort, type OperationPorts, type ProviderCall } from '../provider.js';
import { isMissingPath } from './missing-path.js';

const RESPONSES = 'openai-responses';
const REFUSED_REASONING = /invalid_encrypted_content|encrypted[ _]content/i;

type ChatPort = OperationPort<'chat'>;

/**
 * Sends requests that came by the Responses API to the provider's own, where it has one, and translated to its chat API where it
 * does not. Requests of other formats go to chat.
 */
export class ResponsesRouter extends Provider {
  readonly name: string;
  readonly operations: OperationPorts;
  private isAbsent = false;

  /**
   * @param chat serves all else
   * @param responses the provider's Responses API; undefined where it has none
   * @param isAssumed whether no setting says that it has one, so that a 404 means that it does not
   */
  constructor(
    private readonly chat: Provider,
    private readonly responses?: Provider,
    private readonly isAssumed = false,
  ) {
    super();
    this.name = chat.name;
    const port = chat.operations.chat;
    this.operations = port === undefined ? chat.operations : { ...chat.operations, chat: this.routed(port) };
  }

  override listModels(signal: AbortSignal): Promise<readonly ListedModel[]> {
    return this.chat.listModels(signal);
  }

  override countTokens(call: ProviderCall): Promise<number | undefined> {
    const source = call.request[SOURCE];
    if (source?.wire !== RESPONSES || this.responses === undefined || this.isAbsent) return this.chat.countTokens(call);
    const body = source.bodyFor?.(this.name, call.upstreamModel) ?? source.body;
    return this.responses.countTokens({ ...call, request: { ...call.request, [SOURCE]: { ...source, body } } });
  }

  override async close(): Promise<void> {
    await Promise.all([this.chat.close(), ...(this.responses === this.chat ? [] : [this.responses?.close()])]);
  }

  private routed(port: ChatPort): ChatPort {
    return {
      ...(port.callsOf !== undefined && { callsOf: (request) => port.callsOf?.(request) ?? 1 }),
      invoke: (call) => this.send(call, port, (to, ready) => to.invoke(ready)),
      ...(port.open !== undefined && {
        open: (call) =>
          this.send(call, port, (to, ready) => {
            if (to.open === undefined) throw new TypeError(`${this.name} has no streams`);
            return to.open(ready);
          }),
      }),
    };
  }

  private async send<Result>(
    call: ProviderCall,
    port: ChatPort,
    send: (port: ChatPort, call: ProviderCall) => Promise<Result>,
  ): Promise<Result> {
    const source = call.request[SOURCE];
    if (source?.wire !== RESPONSES) return send(port, call);
    const native = this.responses?.operations.chat;
    if (native !== undefined && !this.isAbsent) {
      try {
        return await this.sendNative(native, call, source, send);
      } catch (error) {
        if (!this.isAssumed || !isMissingPath(error)) throw error;
        this.isAbsent = true;
      }
    }
    return send(port, this.translated(call, source));
  }

  /** Reasoning that the provider cannot decrypt is left out, and the request is sent once more. */
  private async sendNative<Result>(
    native: ChatPort,
    call: ProviderCall,
    source: RequestSource,
    send: (port: ChatPort, call: ProviderCall) => Promise<Result>,
  ): Promise<Result> {
    const body = source.bodyFor?.(this.name, call.upstreamModel) ?? source.body;
    const withBody = (own: RequestSource['body']): ProviderCall => ({
      ...call,
      request: { ...call.request, [SOURCE]: { ...source, body: own } },
    });
    try {
      return await send(native, withBody(body));
    } catch (error) {
      const stripped = isRefusedReasoning(error) ? withoutEncryptedReasoning(body) : undefined;
      if (stripped === undefined) throw error;
      return send(native, withBody(stripped));
    }
  }

  /** @throws GatewayError 400 for what another format cannot hold */
  private translated(call: ProviderCall, { refusal, dropped, body }: RequestSource): ProviderCall {
    if (refusal !== undefined) throw refusal;
    const [first] = dropped;
    if (first === undefined) return call;
    if (body['strict_params'] === true) throw unsupportedParameter(first);
    call.onDroppedParams?.(dropped);
    return call;
  }
}

function isRefusedReasoning(error: unknown): boolean {
  if (!(error instanceof GatewayError) || error.status !== 400 || error.rejectedByGateway) return false;
  return REFUSED_REASONING.test(`${error.code ?? ''} ${error.message}`);
}
