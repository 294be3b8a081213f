import type { ConfigFault } from './config-error.js';
import type { KnownProvider, ProviderEnvironment } from './environment.js';
import type { ProviderConfig } from './gateway-config.js';
import { OPENAI_TYPE } from '../providers/definitions/openai.js';
import { definitionAt, LOCAL_SERVERS, quirksOfDefinition, speaksOpenAi } from '../providers/definitions/registry.js';
import { SANDBOX_TYPE } from '../providers/definitions/sandbox.js';
import { readProvider, responsesOf } from './read-provider.js';
import type { GatewayFile } from './settings/gateway-file.js';

/** The providers of the file, of the environment, of this machine where that is asked for, and the sandbox. */
export function readProviders(
  file: GatewayFile,
  environment: ProviderEnvironment,
  faults: ConfigFault[],
): ProviderConfig[] {
  const providers: ProviderConfig[] = [];
  for (const [name, entry] of Object.entries(file.providers ?? {})) {
    const path = `providers.${name}`;
    if (name === SANDBOX_TYPE) {
      faults.push({
        path,
        message: 'the name sandbox is taken by the built-in provider; switch that by sandbox: true|false',
      });
      continue;
    }
    const provider = readProvider(name, entry, environment);
    faults.push(...provider.faults.map((fault) => ({ path: `${path}.${fault.key}`, message: fault.message })));
    if (provider.config !== undefined) providers.push(provider.config);
  }
  for (const { apiKey, ...known } of environment.providers) {
    if (!providers.some(({ name }) => name === known.name)) providers.push(providerWithKey(known, apiKey));
  }
  if (file.discover === true) {
    for (const definition of LOCAL_SERVERS) {
      const { name, baseUrl = '' } = definition;
      const quirks = quirksOfDefinition(definition);
      if (providers.some((provider) => provider.name === name || provider.baseUrl === baseUrl)) continue;
      const found = { name, type: OPENAI_TYPE, baseUrl, apiKey: undefined, headers: {}, listModels: true } as const;
      providers.push({ ...found, isDiscovered: true, ...(quirks !== undefined && { quirks }) });
    }
  }
  if (file.sandbox ?? providers.length === 0) {
    providers.push({
      name: SANDBOX_TYPE,
      type: SANDBOX_TYPE,
      baseUrl: '',
      apiKey: undefined,
      headers: {},
      listModels: true,
    });
  }
  return providers;
}

/** The settings of a provider that needs nothing but a key. */
export function providerWithKey({ name, type, baseUrl }: KnownProvider, apiKey: string): ProviderConfig {
  return {
    name,
    type,
    baseUrl: baseUrl.replace(/\/+$/, ''),
    apiKey,
    headers: {},
    listModels: true,
    ...responsesOf({ name, type, baseUrl }),
    ...(speaksOpenAi(type) && { quirks: quirksOfDefinition(definitionAt(baseUrl)) ?? {} }),
  };
}
