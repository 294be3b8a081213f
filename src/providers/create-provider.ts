import type { ProviderConfig, RoutingSettings } from '../config/gateway-config.js';
import { AiSdkProvider } from './ai-sdk/ai-sdk-provider.js';
import { CombinedProvider } from './combined-provider.js';
import { JsonOperations } from './json-operations/json-operations.js';
import { OPENAI_TYPE } from './definitions/openai.js';
import { definitionOfType } from './definitions/registry.js';
import { MediaOperations } from './media-operations/media-operations.js';
import type { Provider, ProviderOptions } from './provider.js';
import { OpenAiProvider } from './openai/openai-provider.js';
import { WireProvider } from './wire-chat/wire-provider.js';
import { SandboxProvider } from './sandbox/sandbox-provider.js';

/** What every provider is created with besides its own entry. */
export function providerOptions({ maxAnswerSize, timeouts }: RoutingSettings['upstream']): ProviderOptions {
  return { maxAnswerSize, connectTimeout: timeouts.connect };
}

/** The adapter of a configured provider, as its definition says. */
export function createProvider(provider: ProviderConfig, options: ProviderOptions): Provider {
  if (definitionOfType(provider.type)?.adapter === 'built-in') return new SandboxProvider(provider.name);
  const chat = chatOf(provider, options);
  return new CombinedProvider(chat, [new JsonOperations(provider, options), new MediaOperations(provider, options)]);
}

function chatOf(config: ProviderConfig, options: ProviderOptions): Provider {
  if (config.type === OPENAI_TYPE) return new OpenAiProvider(config, options);
  const definition = definitionOfType(config.type);
  if (definition?.chat === undefined) return new AiSdkProvider(config.type, config, options);
  return new WireProvider({ ...definition, chat: definition.chat }, config, options);
}
