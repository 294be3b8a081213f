/** Names of fields, and the subset of OpenAPI's schemas that Gemini's `parameters` and `responseSchema` take. */
import { namesOf, Refusal, require } from './refusal.mjs';

const KEYWORDS = namesOf(
  'type format title description nullable enum maxItems minItems properties required minProperties maxProperties minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum',
);
const TYPES = namesOf('STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL TYPE_UNSPECIFIED');

/** Protocol buffers take names in both spellings. */
const camelOf = (name) => name.replaceAll(/(?<=.)_(\w)/g, (_, letter) => letter.toUpperCase());

export function checkNames(value, known, at) {
  for (const name of Object.keys(value)) {
    const where = at === '' ? '' : ` at '${at}'`;
    require(known.has(name) ||
      known.has(camelOf(name)), `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`);
  }
}

/**
 * @param {any} schema
 * @param {string} at its path in the request
 */
export function checkSchema(schema, at) {
  for (const name of Object.keys(schema)) {
    if (KEYWORDS.has(name)) continue;
    throw new Refusal(`Invalid JSON payload received. Unknown name "${name}" at '${at}': Cannot find field.`);
  }
  const { type, enum: values } = schema;
  require(type === undefined ||
    typeof type === 'string', `Proto field is not repeating, cannot start list. at '${at}.type'`);
  require(type === undefined ||
    TYPES.has(
      type.toUpperCase(),
    ), `Invalid value at '${at}.type' (type.googleapis.com/google.ai.generativelanguage.v1beta.Type), "${type}"`);
  const kind = type?.toUpperCase();
  if (values !== undefined) {
    require(values.every(
      (value) => typeof value === 'string',
    ), `Invalid value at '${at}.enum[0]' (TYPE_STRING), ${values[0]}`);
    require(kind === undefined || kind === 'STRING', `* ${at}.enum: only allowed for STRING type`);
    require(!values.includes(''), `* ${at}.enum[0]: cannot be empty`);
  }
  if (kind === 'ARRAY') require(schema.items !== undefined, `* ${at}.items: missing field.`);
  if (kind === 'STRING' && schema.format !== undefined) {
    require(['enum', 'date-time'].includes(
      schema.format,
    ), `* ${at}.format: only 'enum' and 'date-time' are supported for STRING type`);
  }
  const properties = schema.properties ?? {};
  for (const name of schema.required ?? []) require(name in properties, `* ${at}.required[0]: property is not defined`);
  for (const [index, [, each]] of Object.entries(properties).entries())
    checkSchema(each, `${at}.properties[${index}].value`);
  for (const [index, each] of (schema.anyOf ?? []).entries()) checkSchema(each, `${at}.any_of[${index}]`);
  if (schema.items !== undefined) checkSchema(schema.items, `${at}.items`);
}
