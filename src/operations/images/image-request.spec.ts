import type { JsonObject } from '../../runtime/json-value.js';
import { readImageEdit, readImageGeneration, type FindDefaultModel } from './image-request.js';

const findFirst: FindDefaultModel = (names) => names[0];
const findNone: FindDefaultModel = () => undefined;

describe('the model of a request for images that names none', () => {
  it.each<[string, JsonObject]>([
    ['dall-e-2', {}],
    ['dall-e-2', { model: null, size: '256x256', response_format: 'url' }],
    ['gpt-image-1.5', { background: 'transparent' }],
    ['gpt-image-1.5', { output_compression: 0 }],
    ['gpt-image-1.5', { stream: false, moderation: null }],
    ['dall-e-2', { output_format: null }],
    ['own', { model: 'own', background: 'opaque' }],
  ])('is %s for a generation with %j', (expected, fields) => {
    expect(readImageGeneration({ prompt: 'x', ...fields }, findFirst).model).toBe(expected);
  });

  it('is the second one where the first is not served', () => {
    const served: FindDefaultModel = (names) => names.find((name) => name !== 'dall-e-2');
    expect(readImageGeneration({ prompt: 'x' }, served).model).toBe('gpt-image-1.5');
  });

  it.each<JsonObject>([{}, { model: null }])('is gpt-image-1.5 for an edit with %j', (fields) => {
    expect(readImageEdit({ prompt: 'x', images: [{}], ...fields }, findFirst).model).toBe('gpt-image-1.5');
  });

  it.each([
    () => readImageGeneration({ prompt: 'x' }, findNone),
    () => readImageGeneration({ prompt: 'x', model: '' }, findFirst),
    () => readImageEdit({ prompt: 'x', image: 'a' }, findNone),
  ])('is required where no default is served, or where it is empty', (read) => {
    expect(read).toThrow(
      expect.objectContaining({ status: 400, param: 'model', code: 'missing_required_parameter' }) as Error,
    );
  });
});
