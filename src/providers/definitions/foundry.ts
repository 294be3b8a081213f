import { MESSAGES_CHAT } from './anthropic.js';
import type { ProviderDefinition } from './definition.js';
import { ENTRA_KEYS, ENTRA_VARIABLES, keyOrLoginFault, namesEntraLogin, readEntraLogin } from './logins/entra-login.js';

/** Claude on Microsoft Foundry: the Messages API at the address of a resource, with its key or a login of Microsoft Entra ID. */
export const definition: ProviderDefinition = {
  name: 'foundry',
  title: 'Microsoft Foundry (Claude)',
  documentation: 'https://learn.microsoft.com/azure/ai-foundry/foundry-models/how-to/use-foundry-models-claude',
  hosts: /\.services\.ai\.azure\.com$/,
  // Foundry bills Claude at Anthropic's prices.
  priceId: 'anthropic',
  catalogueId: 'anthropic',
  telemetryName: 'azure.ai.inference',
  credentials: 'x-api-key-or-entra',
  cloudKeys: ['resource_name', ...ENTRA_KEYS],
  variables: {
    ANTHROPIC_FOUNDRY_RESOURCE: { description: 'the name of the resource', example: 'my-resource' },
    ANTHROPIC_FOUNDRY_API_KEY: { description: 'the key', secret: true },
    ...ENTRA_VARIABLES,
  },
  connect: (input) => {
    const { entry, apiKey: ownKey, baseUrl, variable } = input;
    const resource = entry.resource_name ?? variable('ANTHROPIC_FOUNDRY_RESOURCE');
    // A key of the environment goes to the address that it is for, and to no other.
    const takesEnvironment = baseUrl === undefined && !namesEntraLogin(entry);
    const apiKey = ownKey ?? (takesEnvironment ? variable('ANTHROPIC_FOUNDRY_API_KEY') : undefined);
    const login = apiKey === undefined ? readEntraLogin(input, baseUrl) : { cloud: {}, faults: [] };
    const isWithoutLogin = apiKey === undefined && login.cloud.entra === undefined && login.faults.length === 0;
    const isNowhere = baseUrl === undefined && resource === undefined;
    return {
      apiKey,
      baseUrl:
        baseUrl ?? (resource === undefined ? undefined : `https://${resource}.services.ai.azure.com/anthropic/v1`),
      cloud: login.cloud,
      faults: [
        ...(isNowhere
          ? [
              {
                key: 'resource_name',
                message: 'is required, or base_url. Set it, or ANTHROPIC_FOUNDRY_RESOURCE',
              } as const,
            ]
          : []),
        ...(isWithoutLogin ? [keyOrLoginFault('ANTHROPIC_FOUNDRY_API_KEY')] : []),
        ...login.faults,
      ],
    };
  },
  chat: MESSAGES_CHAT,
};
