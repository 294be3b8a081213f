import type { RoutingTable } from '../routing/routing-table.js';

/** The model that OpenAI uses if a request names none. */
const DEFAULT_MODEL = 'omni-moderation-latest';

/** The model for a request that names none: OpenAI's default, under its own name or as the model of the provider `openai`. */
export function defaultModerationModel(table: Pick<RoutingTable, 'resolve'>): string {
  const ofOpenAi = `openai/${DEFAULT_MODEL}`;
  return table.resolve(DEFAULT_MODEL) === undefined && table.resolve(ofOpenAi) !== undefined ? ofOpenAi : DEFAULT_MODEL;
}
