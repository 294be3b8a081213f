import { unsupportedMediaType } from '../../errors/to-gateway-error.js';
import { parametersOf } from '../content-type.js';
import { invalidMultipart } from './invalid-multipart.js';

const FORM_DATA = /^multipart\/form-data\s*(?:;|$)/i;
/** RFC 2046, 5.1.1: up to 70 characters, of which the last is no space. Any that can stand between quotes are taken. */
const BOUNDARY = /^(?:[\x20!\x23-\x5b\x5d-\x7e]{0,69})[!\x23-\x5b\x5d-\x7e]$/;

/** Whether a content type is that of a form with files. */
export function isFormDataType(contentType: string): boolean {
  return FORM_DATA.test(contentType);
}

/**
 * The separator of the parts of a form.
 *
 * @throws GatewayError 415 for another content type, 400 without a boundary that can be used
 */
export function boundaryOf(contentType: string): string {
  if (!isFormDataType(contentType)) {
    throw unsupportedMediaType(
      `Unsupported content type '${contentType.slice(0, 80)}'. Send the fields and the file as multipart/form-data.`,
    );
  }
  const boundaries = parametersOf(contentType).filter(({ name }) => name === 'boundary');
  const [first] = boundaries;
  if (first === undefined || boundaries.length > 1 || !BOUNDARY.test(first.value)) {
    throw invalidMultipart(
      "The content type has no valid boundary. Leave the header 'content-type' to your HTTP client, which knows the boundary.",
    );
  }
  return first.value;
}
