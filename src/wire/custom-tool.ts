import type { CustomTool } from '../operations/chat/canonical/canonical-request.js';
import type { JsonObject } from '../runtime/json-value.js';

/** Of a custom tool, where it goes as a function. Calls of it are turned back where the client's format has custom tools. */
export const CUSTOM_TOOL_PARAMETERS: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string', description: 'The whole input of the tool, as free text.' } },
  required: ['input'],
  additionalProperties: false,
};

/** The description with the grammar of the input: a function has none, so the model reads it. */
export function customDescription({ description = '', format }: CustomTool): string {
  const { definition } = format ?? {};
  if (typeof definition !== 'string') return description;
  return `${description}\n\nThe input must match this grammar:\n${definition}`.trim();
}
