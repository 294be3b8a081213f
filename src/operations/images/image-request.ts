import { invalidRequest } from '../../errors/gateway-error.js';
import { isObject } from '../../runtime/json-value.js';
import { RequestFields } from '../media/request-fields.js';
import type { ClientBody } from '../media/client-body.js';
import { Upload } from '../upload/upload.js';

/** A request for new images, or for changed ones. */
export interface ImageRequest {
  readonly kind: 'generation' | 'edit';
  readonly model: string;
  readonly prompt: string;
  /** How many images; 1 where the client does not say. */
  readonly n: number;
  /** Such as `1024x1024` or `auto`; undefined leaves it to the model. */
  readonly size: string | undefined;
  readonly quality: string | undefined;
  /** `b64_json` or `url`, as the models that have a choice take it. */
  readonly responseFormat: string | undefined;
  readonly outputFormat: string | undefined;
  readonly stream: boolean;
  /** Previews of each image in a stream. */
  readonly partialImages: number;
  /** Images that are sent, masks included. */
  readonly inputImages: number;
  readonly user: string | undefined;
  /** The client's own body, which goes to the provider with another model alone. */
  readonly body: ClientBody;
}

/** Fields of a form that are read here. */
export const IMAGE_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'prompt',
  'n',
  'size',
  'quality',
  'response_format',
  'output_format',
  'stream',
  'partial_images',
  'user',
]);

/** Names of the parts of an edit that hold an image. */
export const IMAGE_FILES = ['image', 'image[]'] as const;

/** More than any provider makes of one request. */
const MAX_IMAGES = 100;
const MAX_PARTIAL_IMAGES = 3;
/** Longest name of a size or a quality. */
const MAX_NAME_CHARACTERS = 40;

/** @throws GatewayError 400 that names the field */
export function readImageGeneration(body: unknown): ImageRequest {
  if (!isObject(body)) throw invalidRequest('The request body must be a JSON object.', null, 'invalid_type');
  return readFields('generation', new RequestFields(body), body, 0);
}

/**
 * An edit comes as a form with its images, or as JSON that names them by address.
 *
 * @throws GatewayError 400 that names the field
 */
export function readImageEdit(body: ClientBody): ImageRequest {
  if (body instanceof Upload) return readFields('edit', new RequestFields(body.fields), body, body.files.length);
  const images = body['images'] ?? body['image'];
  if (images == null) {
    throw invalidRequest(
      "Missing required field 'image'. Send it as a file of multipart/form-data, or 'images' with addresses as JSON.",
      'image',
      'missing_required_parameter',
    );
  }
  return readFields('edit', new RequestFields(body), body, Array.isArray(images) ? images.length : 1);
}

function readFields(
  kind: ImageRequest['kind'],
  fields: RequestFields,
  body: ImageRequest['body'],
  inputImages: number,
): ImageRequest {
  // Not read here, but the providers take a text.
  shortText(fields, 'background');
  return {
    kind,
    model: fields.model(),
    prompt: fields.required('prompt'),
    n: fields.integer('n', { min: 1, max: MAX_IMAGES }) ?? 1,
    size: shortText(fields, 'size'),
    quality: shortText(fields, 'quality'),
    responseFormat: shortText(fields, 'response_format'),
    outputFormat: shortText(fields, 'output_format'),
    stream: fields.boolean('stream') ?? false,
    partialImages: fields.integer('partial_images', { min: 0, max: MAX_PARTIAL_IMAGES }) ?? 0,
    inputImages,
    user: fields.text('user'),
    body,
  };
}

function shortText(fields: RequestFields, name: string): string | undefined {
  const text = fields.text(name);
  if (text !== undefined && text.length > MAX_NAME_CHARACTERS) {
    throw invalidRequest(
      `'${name}' must be at most ${MAX_NAME_CHARACTERS} characters long.`,
      name,
      'string_above_max_length',
    );
  }
  return text;
}
