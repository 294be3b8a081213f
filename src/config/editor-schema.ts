import type { JsonSchema } from './settings/setting.js';

/** Before placeholders are replaced, each of them stands as text where a number, a word or a duration belongs. */
const PLACEHOLDER: JsonSchema = { type: 'string', pattern: '\\$\\{[A-Za-z_]' };

const NUMBER = String.raw`\d+(?:\.\d+)?\s*`;
const ABOVE_ZERO = String.raw`(?=[\d.\s]*[1-9])`;
const DURATION = '(?:ms|s|m|h|d)';
/** The pattern by which editors check a value with a unit. */
const UNITS: Readonly<Record<string, readonly JsonSchema[]>> = {
  duration: [
    text(`${NUMBER}${DURATION}|0`, 'must be a duration with its unit, such as 500ms, 5s, 10m, 2h or 30d; or 0'),
    { const: 0 },
  ],
  timeout: [
    text(`${ABOVE_ZERO}${NUMBER}${DURATION}`, 'must be a duration above zero with its unit, such as 500ms or 5s'),
  ],
  size: [
    text(`${ABOVE_ZERO}${NUMBER}(?:B|KB|MB|GB)`, 'must be a size above zero with its unit, such as 512KB or 32MB'),
  ],
};
/** Keywords that only explain. They stay beside the alternatives, where editors show them. */
const ANNOTATIONS = ['description', 'default', 'examples', 'unit'];

/** The schema of the file as it is written: with placeholders, and with patterns for values that have a unit. */
export function editorSchema(schema: JsonSchema): JsonSchema {
  const { properties, items, additionalProperties } = schema;
  if (properties !== undefined || items !== undefined || typeof additionalProperties === 'object') {
    return {
      ...schema,
      ...(properties !== undefined && {
        properties: Object.fromEntries(Object.entries(properties).map(([key, member]) => [key, editorSchema(member)])),
      }),
      ...(items !== undefined && { items: editorSchema(items) }),
      ...(typeof additionalProperties === 'object' && { additionalProperties: editorSchema(additionalProperties) }),
    };
  }
  if (schema['type'] === 'string' && schema['pattern'] === undefined) return schema;
  const entries = Object.entries(schema);
  const annotations = entries.filter(([keyword]) => ANNOTATIONS.includes(keyword));
  const rules = entries.filter(([keyword]) => !ANNOTATIONS.includes(keyword));
  const unit = UNITS[String(schema['unit'])];
  return { ...Object.fromEntries(annotations), anyOf: [...(unit ?? [Object.fromEntries(rules)]), PLACEHOLDER] };
}

function text(pattern: string, patternErrorMessage: string): JsonSchema {
  return { type: 'string', pattern: String.raw`^\s*(?:${pattern})\s*$`, patternErrorMessage };
}
