import { GatewayError } from '../../../errors/gateway-error.js';
import type { ImageRequest } from '../../../operations/images/image-request.js';
import { imageTokens } from '../../../operations/images/image-estimate.js';
import { eventFrame } from './event-frame.js';
import { pngImage, type ImageSize } from './png-image.js';

const DEFAULT_SIZE: ImageSize = { width: 1_024, height: 1_024 };
const MIN_SIDE_PIXELS = 16;
const MAX_SIDE_PIXELS = 4_096;
const MAX_IMAGES = 10;

/** The images of the sandbox: PNG files that are determined by prompt, size and position. */
export async function sandboxImages(request: ImageRequest, createdAt: number): Promise<object> {
  const { size, properties } = planOf(request);
  const data: object[] = [];
  // One after the other, so that large ones are not in memory together.
  for (let index = 0; index < request.n; index += 1) data.push({ b64_json: await imageOf(request, size, `${index}`) });
  return {
    created: createdAt,
    data,
    ...properties,
    usage: usageOf(request, properties, request.n),
  };
}

/** The images as events: previews, if the client asked for them, then each image. */
export async function* sandboxImageEvents(request: ImageRequest, createdAt: number): AsyncGenerator<Buffer> {
  const { size, properties } = planOf(request);
  const kind = request.kind === 'edit' ? 'image_edit' : 'image_generation';
  const event = async (type: string, seed: string, more: object): Promise<Buffer> => {
    const b64_json = await imageOf(request, size, seed);
    return eventFrame(`${kind}.${type}`, { b64_json, created_at: createdAt, ...properties, ...more });
  };
  for (let index = 0; index < request.n; index += 1) {
    for (let preview = 0; preview < request.partialImages; preview += 1) {
      yield await event('partial_image', `${index} preview ${preview}`, { partial_image_index: preview });
    }
    yield await event('completed', `${index}`, { usage: usageOf(request, properties, 1) });
  }
}

interface Properties {
  readonly background: string;
  readonly output_format: string;
  readonly quality: string;
  readonly size: string;
}

function planOf(request: ImageRequest): { size: ImageSize; properties: Properties } {
  const { responseFormat, outputFormat, n } = request;
  if (responseFormat !== undefined && responseFormat !== 'b64_json') {
    throw unsupported(
      'response_format',
      'keeps no images that an address could lead to. Leave it out, or send b64_json',
    );
  }
  if (outputFormat !== undefined && outputFormat !== 'png') {
    throw unsupported('output_format', 'makes PNG images alone. Leave it out, or send png');
  }
  if (n > MAX_IMAGES) throw unsupported('n', `makes at most ${MAX_IMAGES} images at once. Ask for fewer`);
  const size = sizeOf(request.size);
  const quality = request.quality === undefined || request.quality === 'auto' ? 'high' : request.quality;
  return {
    size,
    properties: {
      background: isTransparent(request) ? 'transparent' : 'opaque',
      output_format: 'png',
      quality,
      size: `${size.width}x${size.height}`,
    },
  };
}

function sizeOf(size: string | undefined): ImageSize {
  if (size === undefined || size === 'auto') return DEFAULT_SIZE;
  const [, width, height] = /^(\d{2,4})x(\d{2,4})$/.exec(size) ?? [];
  const sides = [Number(width), Number(height)];
  if (!sides.every((side) => side >= MIN_SIDE_PIXELS && side <= MAX_SIDE_PIXELS)) {
    throw unsupported(
      'size',
      `makes images from ${MIN_SIDE_PIXELS}x${MIN_SIDE_PIXELS} to ${MAX_SIDE_PIXELS}x${MAX_SIDE_PIXELS}. Send a size such as 1024x1024, or auto`,
    );
  }
  const [first = 0, second = 0] = sides;
  return { width: first, height: second };
}

async function imageOf(request: ImageRequest, size: ImageSize, seed: string): Promise<string> {
  const png = await pngImage(size, `${request.kind} ${seed} ${request.prompt}`, isTransparent(request));
  return png.toString('base64');
}

function isTransparent({ body }: ImageRequest): boolean {
  return 'background' in body && body['background'] === 'transparent';
}

/** A word counts as a token, as everywhere in the sandbox; images count as OpenAI's models count them. */
function usageOf({ prompt, inputImages }: ImageRequest, { size, quality }: Properties, images: number): object {
  const text = prompt.split(/\s+/).filter((word) => word !== '').length;
  const input = inputImages * imageTokens(undefined, 'low');
  const output = images * imageTokens(size, quality);
  return {
    input_tokens: text + input,
    input_tokens_details: { text_tokens: text, image_tokens: input },
    output_tokens: output,
    output_tokens_details: { text_tokens: 0, image_tokens: output },
    total_tokens: text + input + output,
  };
}

/** 400: the sandbox cannot do what the field asks for. */
export function unsupported(param: string, cannot: string): GatewayError {
  return new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_value',
    message: `'${param}' is not possible here: the sandbox ${cannot}.`,
    param,
  });
}
