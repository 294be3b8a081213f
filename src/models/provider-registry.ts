import { Injectable, OnApplicationShutdown } from '@nestjs/common';
import { GatewayConfig, type ProviderConfig } from '../config/gateway-config.js';
import { AiSdkProvider } from './providers/ai-sdk/ai-sdk-provider.js';
import type { ChatProvider } from './providers/chat-provider.js';
import { OpenAiProvider } from './providers/openai/openai-provider.js';
import { SandboxProvider } from './providers/sandbox/sandbox-provider.js';

/** The configured providers, one instance each, by name. */
@Injectable()
export class ProviderRegistry implements OnApplicationShutdown {
  private readonly providers: ReadonlyMap<string, ChatProvider>;

  constructor(config: GatewayConfig) {
    this.providers = new Map(config.providers.map((provider) => [provider.name, createProvider(provider, config)]));
  }

  get(name: string): ChatProvider | undefined {
    return this.providers.get(name);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.providers.values()].map((provider) => provider.close()));
  }
}

function createProvider(provider: ProviderConfig, { upstream }: GatewayConfig): ChatProvider {
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
