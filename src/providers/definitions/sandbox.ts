import type { ProviderDefinition } from './definition.js';

/** Type and name of the built-in provider, and the field of a request that controls it. */
export const SANDBOX_TYPE = 'sandbox';

export const definition: ProviderDefinition = {
  name: SANDBOX_TYPE,
  title: 'Sandbox',
  documentation: 'docs/sandbox.md',
  credentials: 'none',
  adapter: 'built-in',
};
