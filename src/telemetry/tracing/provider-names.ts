import type { ProviderConfig } from '../../config/gateway-config.js';

/** Provider names of the GenAI conventions, by type and by the usual name of a configured provider. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  google: 'gcp.gemini',
  gemini: 'gcp.gemini',
  vertex: 'gcp.vertex_ai',
  bedrock: 'aws.bedrock',
  azure: 'azure.ai.openai',
  cohere: 'cohere',
  mistral: 'mistral_ai',
  xai: 'x_ai',
  groq: 'groq',
  deepseek: 'deepseek',
  perplexity: 'perplexity',
};

/** `gen_ai.provider.name`; an OpenAI-compatible server has its configured name. */
export function providerName({ name, type }: Pick<ProviderConfig, 'name' | 'type'>): string {
  const known = type === 'openai' ? WELL_KNOWN[name] : WELL_KNOWN[type];
  return known ?? name;
}
