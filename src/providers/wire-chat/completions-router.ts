import { SOURCE } from '../../operations/chat/canonical/sources.js';
import type { OperationStream } from '../../operations/operation-types.js';
import type { ListedModel } from '../../wire/openai-chat/map-model-list.js';
import type { CompletionsMode } from '../definitions/types/operation-formats.js';
import { Provider, type OperationPort, type OperationPorts, type ProviderCall } from '../provider.js';
import { isMissingPath } from './missing-path.js';

const COMPLETIONS = 'openai-completions';

type ChatPort = OperationPort<'chat'>;

/**
 * Sends requests of the legacy completions to the provider's own completions API: those that only it can take, or all of them. Others,
 * and those of a provider without it, go to chat.
 */
export class CompletionsRouter extends Provider {
  readonly name: string;
  readonly operations: OperationPorts;
  private isAbsent = false;

  /**
   * @param chat serves all else
   * @param completions the provider's completions API; undefined where it has none
   */
  constructor(
    private readonly chat: Provider,
    private readonly completions?: Provider,
    private readonly mode: CompletionsMode = 'auto',
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
    return this.chat.countTokens(call);
  }

  override async close(): Promise<void> {
    await Promise.all([this.chat.close(), this.completions?.close()]);
  }

  private routed(port: ChatPort): ChatPort {
    return {
      callsOf: (request) => (this.nativePort(request) ?? port).callsOf?.(request) ?? 1,
      invoke: (call) => (isCompletion(call) ? this.send(call, port, (to) => to.invoke(call)) : port.invoke(call)),
      ...(port.open !== undefined && {
        open: (call) => (isCompletion(call) ? this.send(call, port, (to) => opened(to, call)) : opened(port, call)),
      }),
    };
  }

  private async send<Result>(
    call: ProviderCall,
    port: ChatPort,
    send: (port: ChatPort) => Promise<Result>,
  ): Promise<Result> {
    const native = this.nativePort(call.request);
    if (native !== undefined) {
      try {
        return await send(native);
      } catch (error) {
        if (this.mode !== 'auto' || !isMissingPath(error)) throw error;
        this.isAbsent = true;
      }
    }
    const nativeOnly = call.request[SOURCE]?.nativeOnly;
    if (nativeOnly !== undefined) throw nativeOnly;
    return send(port);
  }

  /** Undefined where the request goes to chat. */
  private nativePort(request: ProviderCall['request']): ChatPort | undefined {
    const source = request[SOURCE];
    if (source?.wire !== COMPLETIONS || source.isChanged === true || this.isAbsent) return undefined;
    return this.mode === 'native' || source.nativeOnly !== undefined ? this.completions?.operations.chat : undefined;
  }
}

function isCompletion({ request }: ProviderCall): boolean {
  return request[SOURCE]?.wire === COMPLETIONS;
}

function opened(port: ChatPort, call: ProviderCall): Promise<OperationStream<'chat'>> {
  if (port.open === undefined) throw new TypeError('a provider of chat has streams');
  return port.open(call);
}
