import type { RoutingTable } from './routing-table.js';

/**
 * The model for a request that names none, as OpenAI's API has defaults of its own for some endpoints.
 *
 * @param names of OpenAI's models that may serve it; the first that the gateway serves counts
 * @returns the model under its own name, or else as a model of the provider `openai`; undefined where the gateway serves none
 */
export function servedDefault(table: Pick<RoutingTable, 'resolve'>, names: readonly string[]): string | undefined {
  return [...names, ...names.map((name) => `openai/${name}`)].find((name) => table.resolve(name) !== undefined);
}
