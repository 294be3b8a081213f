/**
 * A small value that satisfies a JSON schema, as far as schemas of tools and of structured output go.
 * @param {any} schema
 * @returns {any}
 */
export function instanceOf(schema, depth = 0) {
  if (typeof schema !== 'object' || schema === null || depth > 8) return 'text';
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0];
  const choice = (schema.anyOf ?? schema.oneOf)?.find((each) => each.type !== 'null');
  if (choice !== undefined) return instanceOf(choice, depth + 1);
  const type = String(
    Array.isArray(schema.type) ? schema.type.find((each) => each !== 'null') : schema.type,
  ).toLowerCase();
  if (type === 'object' || schema.properties !== undefined) {
    const properties = schema.properties ?? {};
    const names = schema.required ?? [];
    return Object.fromEntries(names.map((name) => [name, instanceOf(properties[name], depth + 1)]));
  }
  if (type === 'array') {
    return Array.from({ length: schema.minItems ?? 1 }, () => instanceOf(schema.items, depth + 1));
  }
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1;
  if (type === 'boolean') return false;
  return 'text'.padEnd(schema.minLength ?? 0, '.');
}
