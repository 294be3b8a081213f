import type { ProviderConfig } from '../../config/gateway-config.js';
import { OPENAI_TYPE } from '../../providers/definitions/openai.js';
import { definitionNamed, definitionOfType } from '../../providers/definitions/registry.js';

/** `gen_ai.provider.name`, as the GenAI conventions have it; an OpenAI-compatible server has its configured name, unless that names a provider. */
export function providerName({ name, type }: Pick<ProviderConfig, 'name' | 'type'>): string {
  const definition = type === OPENAI_TYPE ? (definitionNamed(name) ?? definitionOfType(name)) : definitionOfType(type);
  return definition?.telemetryName ?? name;
}
