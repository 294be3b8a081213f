/** Bodies that work when pasted, against the sandbox. */
export const IMAGE_EXAMPLES = {
  one: { summary: 'One image', value: { model: 'sandbox/image', prompt: 'A lighthouse at dusk', size: '256x256' } },
  several: {
    summary: 'Several images with a transparent background',
    value: { model: 'sandbox/image', prompt: 'A paper boat', n: 2, size: '128x64', background: 'transparent' },
  },
  stream: {
    summary: 'A stream with a preview',
    value: { model: 'sandbox/image', prompt: 'A paper boat', size: '64x64', stream: true, partial_images: 1 },
  },
};

export const IMAGE_STREAM_EXAMPLE = [
  'event: image_generation.partial_image',
  'data: {"type":"image_generation.partial_image","b64_json":"iVBORw0KGgo...","partial_image_index":0}',
  '',
  'event: image_generation.completed',
  'data: {"type":"image_generation.completed","b64_json":"iVBORw0KGgo...","usage":{"input_tokens":3,"output_tokens":17,"total_tokens":20}}',
  '',
  '',
].join('\n');
