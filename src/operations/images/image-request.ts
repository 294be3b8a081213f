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

/** What OpenAI's reference names as the model of a request without one. */
const DEFAULT_MODEL = 'gpt-image-1.5';
/** The same for a generation without any of the fields that only the GPT image models have. */
const DEFAULT_MODEL_OF_PLAIN_GENERATION = 'dall-e-2';
const FIELDS_OF_GPT_IMAGE = [
  'background',
  'moderation',
  'output_compression',
  'output_format',
  'partial_images',
  'stream',
] as const;

/**
 * Finds the model for a request that names none.
 *
 * @param names of OpenAI's models that may serve it, the best first
 * @returns undefined where the gateway serves none of them
 */
export type FindDefaultModel = (names: readonly string[]) => string | undefined;

/** @throws GatewayError 400 that names the field */
export function readImageGeneration(body: unknown, findDefault: FindDefaultModel): ImageRequest {
  if (!isObject(body)) throw invalidRequest('The request body must be a JSON object.', null, 'invalid_type');
  const isOfGptImage = FIELDS_OF_GPT_IMAGE.some((name) => body[name] !== undefined && body[name] !== null);
  const names = isOfGptImage ? [DEFAULT_MODEL] : [DEFAULT_MODEL_OF_PLAIN_GENERATION, DEFAULT_MODEL];
  return readFields('generation', new RequestFields(body), {
    body,
    inputImages: 0,
    findDefault: () => findDefault(names),
  });
}

/**
 * An edit comes as a form with its images, or as JSON that names them by address.
 *
 * @throws GatewayError 400 that names the field
 */
export function readImageEdit(body: ClientBody, findDefault: FindDefaultModel): ImageRequest {
  const ofEdit = (): string | undefined => findDefault([DEFAULT_MODEL]);
  if (body instanceof Upload) {
    const inputImages = body.files.length;
    return readFields('edit', new RequestFields(body.fields), { body, inputImages, findDefault: ofEdit });
  }
  const images = body['images'] ?? body['image'];
  if (images == null) {
    throw invalidRequest(
      "Missing required field 'image'. Send it as a file of multipart/form-data, or 'images' with addresses as JSON.",
      'image',
      'missing_required_parameter',
    );
  }
  const inputImages = Array.isArray(images) ? images.length : 1;
  return readFields('edit', new RequestFields(body), { body, inputImages, findDefault: ofEdit });
}

function readFields(
  kind: ImageRequest['kind'],
  fields: RequestFields,
  { findDefault, ...sent }: Pick<ImageRequest, 'body' | 'inputImages'> & { findDefault: () => string | undefined },
): ImageRequest {
  // The gateway does not read it; providers require a text.
  shortText(fields, 'background');
  return {
    kind,
    model: fields.model(findDefault),
    prompt: fields.required('prompt'),
    n: fields.integer('n', { min: 1, max: MAX_IMAGES }) ?? 1,
    size: shortText(fields, 'size'),
    quality: shortText(fields, 'quality'),
    responseFormat: shortText(fields, 'response_format'),
    outputFormat: shortText(fields, 'output_format'),
    stream: fields.boolean('stream') ?? false,
    partialImages: fields.integer('partial_images', { min: 0, max: MAX_PARTIAL_IMAGES }) ?? 0,
    user: fields.text('user'),
    ...sent,
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
