import type { JsonObject } from '../../runtime/json-value.js';
import { Upload } from '../upload/upload.js';

/** What the client sent: JSON, or a form with files. It goes to the provider with another model alone. */
export type ClientBody = JsonObject | Upload;

/** The fields of a body by the client's names. Of a form, those that are not kept have no value. */
export function fieldsOfBody(body: ClientBody): Readonly<JsonObject> {
  return body instanceof Upload ? body.named : body;
}

/** A copy of a body without the named fields. */
export function withoutBodyFields(body: ClientBody, names: readonly string[]): ClientBody {
  if (body instanceof Upload) return body.without(names);
  const copy = { ...body };
  for (const name of names) Reflect.deleteProperty(copy, name);
  return copy;
}

/** A body as the request log keeps it: of files, the names and sizes. */
export function loggedBody(body: ClientBody): unknown {
  if (!(body instanceof Upload)) return body;
  const files = body.files.map(({ name, filename, contentType, start, end }) => ({
    name,
    filename,
    content_type: contentType,
    bytes: end - start,
  }));
  const fields = Object.entries(body.named).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(fields), files };
}
