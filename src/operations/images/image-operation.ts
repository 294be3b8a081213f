import type { JsonObject } from '../../runtime/json-value.js';
import { fieldsOfBody, loggedBody, withoutBodyFields } from '../media/client-body.js';
import { Operation, type RecordingDetail, type SpanAttributes } from '../operation.js';
import { ImageCollector } from './image-collector.js';
import { ImageEstimate } from './image-estimate.js';
import { IMAGE_FIELDS, IMAGE_FILES, type ImageRequest } from './image-request.js';

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  ...IMAGE_FIELDS,
  ...IMAGE_FILES,
  'images',
  'mask',
  'background',
  'moderation',
  'output_compression',
  'input_fidelity',
  'style',
  'strict_params',
]);

class ImageOperation extends Operation<'images'> {
  override readonly name = 'images';
  override readonly knownFields = KNOWN_FIELDS;

  override estimate(request: ImageRequest): ImageEstimate {
    return new ImageEstimate(request);
  }

  override collector(request: ImageRequest, detail: RecordingDetail): ImageCollector {
    return new ImageCollector(request, detail);
  }

  override fieldsOf({ body }: ImageRequest): Readonly<JsonObject> {
    return fieldsOfBody(body);
  }

  override withoutFields(request: ImageRequest, names: readonly string[]): ImageRequest {
    return { ...request, body: withoutBodyFields(request.body, names) };
  }

  override endUserOf({ user }: ImageRequest): string | null {
    return user ?? null;
  }

  override loggedRequest({ body }: ImageRequest): unknown {
    return loggedBody(body);
  }

  override requestAttributes({ n }: ImageRequest): SpanAttributes {
    return { 'gen_ai.output.type': 'image', ...(n > 1 && { 'gen_ai.request.choice.count': n }) };
  }
}

/** Images that are made or changed. */
export const IMAGES = new ImageOperation();
