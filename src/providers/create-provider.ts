import type { GatewayConfig, ProviderConfig } from '../config/gateway-config.js';
import { AiSdkProvider } from './ai-sdk/ai-sdk-provider.js';
import type { ChatProvider } from './chat-provider.js';
import { OpenAiProvider } from './openai/openai-provider.js';
import { SandboxProvider } from './sandbox/sandbox-provider.js';

export function createProvider(provider: ProviderConfig, { upstream }: Pick<GatewayConfig, 'upstream'>): ChatProvider {
  const options = { maxAnswerSize: upstream.maxAnswerSize, connectTimeout: upstream.timeouts.connect };
  switch (provider.type) {
    case 'sandbox':
      return new SandboxProvider(provider.name);
    case 'openai':
      return new OpenAiProvider(provider, options);
    default:
      return new AiSdkProvider(provider.type, provider, options);
  }
}
