import type { ProviderConfig, RoutingSettings } from '../config/gateway-config.js';
import { AiSdkProvider } from './ai-sdk/ai-sdk-provider.js';
import { CombinedProvider } from './combined-provider.js';
import { JsonOperations } from './json-operations/json-operations.js';
import type { Provider, ProviderOptions } from './provider.js';
import { OpenAiProvider } from './openai/openai-provider.js';
import { SandboxProvider } from './sandbox/sandbox-provider.js';

/** What every provider is created with besides its own entry. */
export function providerOptions({ maxAnswerSize, timeouts }: RoutingSettings['upstream']): ProviderOptions {
  return { maxAnswerSize, connectTimeout: timeouts.connect };
}

export function createProvider(provider: ProviderConfig, options: ProviderOptions): Provider {
  switch (provider.type) {
    case 'sandbox':
      return new SandboxProvider(provider.name);
    case 'openai':
      return new CombinedProvider(new OpenAiProvider(provider, options), [new JsonOperations(provider, options)]);
    default:
      return new CombinedProvider(new AiSdkProvider(provider.type, provider, options), [
        new JsonOperations(provider, options),
      ]);
  }
}
