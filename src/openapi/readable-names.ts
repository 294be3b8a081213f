import type { OpenAPIObject } from '@nestjs/swagger';

/** The suffix of classes that describe bodies, which means nothing to those who read the document. */
const SUFFIX = /\b([A-Z]\w*)Dto\b/g;

/**
 * The document with the names of its schemas as people read them in a generated client: `Key` for the class `KeyDto`, also in
 * references and descriptions.
 *
 * @throws Error where two schemas would have the same name
 */
export function withReadableNames(document: OpenAPIObject): OpenAPIObject {
  const names = Object.keys(document.components?.schemas ?? {}).map((name) => name.replace(SUFFIX, '$1'));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two schemas of the OpenAPI document are called ${twice}`);
  return JSON.parse(JSON.stringify(document).replace(SUFFIX, '$1')) as OpenAPIObject;
}
