import { SOURCE, type RequestSource } from '../../operations/chat/canonical/sources.js';
import type { WireName } from '../../operations/chat/canonical/wire-name.js';
import type { ListedModel } from '../../wire/openai-chat/map-model-list.js';
import { Provider, type OperationPort, type OperationPorts, type ProviderCall } from '../provider.js';
import { isMissingPath } from './missing-path.js';

export type ChatPort = OperationPort<'chat'>;
/** Sends a call to a port, as a whole response or as a stream. */
export type Send<Result> = (port: ChatPort, call: ProviderCall) => Promise<Result>;

export interface NativeApi {
  /** The format of the requests that go to it. */
  readonly wire: WireName;
  /** Undefined where the provider does not have it. */
  readonly provider: Provider | undefined;
  /** Whether no setting says that the provider has it, so that a 404 means that it does not. */
  readonly isAssumed: boolean;
}

/**
 * A provider of chat that may also have the API in which some requests came. Those go there, and to chat where it is missing. All other
 * requests go to chat.
 */
export abstract class NativeApiRouter extends Provider {
  readonly name: string;
  readonly operations: OperationPorts;
  /** A 404 has shown that the provider does not have the API. */
  private isAbsent = false;

  /** @param chat serves all else */
  protected constructor(
    protected readonly chat: Provider,
    private readonly native: NativeApi,
  ) {
    super();
    this.name = chat.name;
    const port = chat.operations.chat;
    this.operations = port === undefined ? chat.operations : { ...chat.operations, chat: this.routed(port) };
  }

  /** The request as chat takes it. @throws GatewayError 400 for what chat cannot hold */
  protected abstract forChat(call: ProviderCall, source: RequestSource): ProviderCall;

  /** Whether a request of the API's format goes to the API. */
  protected goesNative(_source: RequestSource): boolean {
    return true;
  }

  protected sendNative<Result>(
    port: ChatPort,
    call: ProviderCall,
    _source: RequestSource,
    send: Send<Result>,
  ): Promise<Result> {
    return send(port, call);
  }

  /** Where a request goes; undefined for chat. */
  protected nativeFor(source: RequestSource | undefined): Provider | undefined {
    if (source?.wire !== this.native.wire || this.isAbsent || !this.goesNative(source)) return undefined;
    return this.native.provider;
  }

  override listModels(signal: AbortSignal): Promise<readonly ListedModel[]> {
    return this.chat.listModels(signal);
  }

  override countTokens(call: ProviderCall): Promise<number | undefined> {
    return this.chat.countTokens(call);
  }

  override async close(): Promise<void> {
    // One provider may serve both.
    const { provider = this.chat } = this.native;
    await Promise.all([...new Set([this.chat, provider])].map((each) => each.close()));
  }

  private routed(port: ChatPort): ChatPort {
    return {
      callsOf: (request) => (this.nativeFor(request[SOURCE])?.operations.chat ?? port).callsOf?.(request) ?? 1,
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

  private send<Result>(call: ProviderCall, port: ChatPort, send: Send<Result>): Promise<Result> {
    const source = call.request[SOURCE];
    return source?.wire === this.native.wire ? this.sendRouted(call, source, port, send) : send(port, call);
  }

  private async sendRouted<Result>(
    call: ProviderCall,
    source: RequestSource,
    port: ChatPort,
    send: Send<Result>,
  ): Promise<Result> {
    const native = this.nativeFor(source)?.operations.chat;
    if (native !== undefined) {
      try {
        return await this.sendNative(native, call, source, send);
      } catch (error) {
        if (!this.native.isAssumed || !isMissingPath(error)) throw error;
        this.isAbsent = true;
      }
    }
    return send(port, this.forChat(call, source));
  }
}
