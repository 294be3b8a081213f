import type { RequestSource } from '../../operations/chat/canonical/sources.js';
import type { CompletionsMode } from '../definitions/types/operation-formats.js';
import type { Provider, ProviderCall } from '../provider.js';
import { NativeApiRouter } from './native-api-router.js';

/**
 * Sends requests of the legacy completions to the provider's own completions API: those that only it can take, or all of them. Others,
 * and those of a provider without it, go to chat.
 */
export class CompletionsRouter extends NativeApiRouter {
  /**
   * @param chat serves all else
   * @param completions the provider's completions API; undefined where it has none
   */
  constructor(
    chat: Provider,
    completions?: Provider,
    private readonly mode: CompletionsMode = 'auto',
  ) {
    super(chat, { wire: 'openai-completions', provider: completions, isAssumed: mode === 'auto' });
  }

  protected override goesNative({ isChanged, nativeOnly }: RequestSource): boolean {
    return isChanged !== true && (this.mode === 'native' || nativeOnly !== undefined);
  }

  /** @throws GatewayError 400 for what only a completions API takes */
  protected override forChat(call: ProviderCall, { nativeOnly }: RequestSource): ProviderCall {
    if (nativeOnly !== undefined) throw nativeOnly;
    return call;
  }
}
