import { unsupportedMediaType } from '../errors/to-gateway-error.js';

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
const PARAMETER = /;\s*([!#$%&'*+.^_`|~\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*/gy;
const UTF8 = new Set(['utf-8', 'utf8', 'us-ascii', '']);

/** Whether a content type is JSON. */
export function isJsonType(contentType: string): boolean {
  return JSON_TYPE.test(contentType);
}

/** The parameters of a content type, names in lower case. A quoted value means the same as a bare one. */
export function parametersOf(contentType: string): readonly { readonly name: string; readonly value: string }[] {
  const start = contentType.indexOf(';');
  if (start === -1) return [];
  return [...contentType.slice(start).matchAll(PARAMETER)].map(([, name = '', quoted, bare]) => ({
    name: name.toLowerCase(),
    value: quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '',
  }));
}

/** The charset that a content type names, in lower case; undefined without one. */
export function charsetOf(contentType: string): string | undefined {
  return parametersOf(contentType)
    .find(({ name }) => name === 'charset')
    ?.value.toLowerCase();
}

/** @throws GatewayError 415 unless it is JSON in UTF-8 */
export function assertJsonType(contentType: string): void {
  if (!isJsonType(contentType)) {
    throw unsupportedMediaType(
      `Unsupported content type '${contentType.slice(0, 80)}'. Send the body with the header 'content-type: application/json'.`,
    );
  }
  if (!UTF8.has(charsetOf(contentType) ?? '')) {
    throw unsupportedMediaType('Unsupported charset. Send the body as JSON in UTF-8.');
  }
}
