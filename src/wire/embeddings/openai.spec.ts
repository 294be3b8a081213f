import { GatewayError } from '../../errors/gateway-error.js';
import { inputsOf, type EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';
import { toBase64 } from '../../operations/embeddings/float-bytes.js';
import { definitionNamed } from '../../providers/definitions/registry.js';
import type { OpenAiEmbeddingRules } from '../../providers/definitions/types/operation-formats.js';
import { OpenAiEmbeddings } from './openai.js';

function rulesOf(name: string): OpenAiEmbeddingRules | undefined {
  const embeddings = definitionNamed(name)?.operations?.embeddings;
  return embeddings?.format === 'openai-embeddings' ? embeddings.rules : undefined;
}

const wire = new OpenAiEmbeddings('text-embedding-3-small');

function responseOf(body: unknown): { text: string; headers: Record<string, string> } {
  return { text: JSON.stringify(body), headers: {} };
}

/** As the reference of OpenAI's API has it. */
const RECORDED = {
  object: 'list',
  data: [{ object: 'embedding', embedding: [0.0023064255, -0.009327292, -0.0028842222], index: 0 }],
  model: 'text-embedding-ada-002',
  usage: { prompt_tokens: 8, total_tokens: 8 },
};

describe('writing', () => {
  it.each<EmbeddingRequest['input']>(['one', ['a', 'b'], [1, 2, 3], [[1, 2], [3]], ['only one']])(
    'passes %j on as it came, with every other member',
    (input) => {
      const request = {
        model: 'fast',
        input,
        dimensions: 8,
        user: 'u',
        truncate_prompt_tokens: 5,
        encoding_format: null,
        strict_params: true,
        metadata: { a: 1 },
      };
      expect(wire.write(request, inputsOf(request), 0)).toEqual({
        path: '/embeddings',
        body: { model: 'text-embedding-3-small', input, dimensions: 8, user: 'u', truncate_prompt_tokens: 5 },
      });
      expect(wire.dropped(request)).toEqual([]);
    },
  );

  it('sends the part of the inputs that a call is for', () => {
    const request = { model: 'm', input: ['a', 'b', 'c'] };
    expect(wire.write(request, ['b', 'c'], 1).body).toMatchObject({ input: ['b', 'c'] });
  });

  it('says to Mistral and Voyage what they take, in their words', () => {
    const request: EmbeddingRequest = {
      model: 'm',
      input: 'a',
      dimensions: 8,
      encoding_format: 'float',
      input_type: 'query',
      user: 'u',
      output_dtype: 'int8',
    };
    const mistral = new OpenAiEmbeddings('mistral-embed', rulesOf('mistral'));
    expect(mistral.write(request, ['a'], 0).body).toEqual({
      model: 'mistral-embed',
      input: 'a',
      output_dimension: 8,
      output_dtype: 'int8',
      encoding_format: 'float',
    });
    expect(mistral.dropped(request)).toEqual(['input_type', 'user']);
    const voyage = new OpenAiEmbeddings('voyage-3', rulesOf('voyage'));
    // Voyage knows null and "base64" alone.
    expect(voyage.write(request, ['a'], 0).body).toEqual({
      model: 'voyage-3',
      input: 'a',
      output_dimension: 8,
      output_dtype: 'int8',
      input_type: 'query',
    });
    const jina = new OpenAiEmbeddings('jina-embeddings-v3', rulesOf('jina'));
    expect(jina.write({ model: 'm', input: 'a', encoding_format: 'base64' }, ['a'], 0).body).toEqual({
      model: 'jina-embeddings-v3',
      input: 'a',
    });
  });

  it('refuses tokens by name where texts alone are taken', () => {
    const mistral = new OpenAiEmbeddings('mistral-embed', rulesOf('mistral'));
    expect(() => mistral.write({ model: 'm', input: [[1], [2]] }, [[2]], 1)).toThrow(
      expect.objectContaining({ status: 400, param: 'input[1]', code: 'unsupported_value' }) as Error,
    );
    expect(() => mistral.write({ model: 'm', input: [1, 2] }, [[1, 2]], 0)).toThrow(
      expect.objectContaining({ param: 'input' }) as Error,
    );
  });
});

describe('reading', () => {
  const request = { model: 'm', input: 'a' };

  it('keeps the body as it came where nothing has to be changed', () => {
    const given = responseOf(RECORDED);
    expect(wire.read(given, request, ['a'])).toEqual({
      vectors: [RECORDED.data[0]?.embedding],
      tokens: 8,
      model: 'text-embedding-ada-002',
      body: given.text,
    });
    const base64 = responseOf({ ...RECORDED, data: [{ object: 'embedding', index: 0, embedding: toBase64([1, 2]) }] });
    const part = wire.read(base64, { ...request, encoding_format: 'base64' }, ['a']);
    expect(part.body).toBe(base64.text);
  });

  it('converts what a server encoded in another way than it was asked to', () => {
    const base64 = responseOf({ ...RECORDED, data: [{ index: 0, embedding: toBase64([1, 2]) }] });
    const floats = wire.read(base64, request, ['a']);
    expect(floats.vectors).toEqual([[1, 2]]);
    expect(floats.body).toBeUndefined();
    const part = wire.read(responseOf(RECORDED), { ...request, encoding_format: 'base64' }, ['a']);
    expect(part.vectors).toEqual([toBase64(RECORDED.data[0]?.embedding ?? [])]);
    expect(part.body).toBeUndefined();
  });

  it('leaves values of other types as they came', () => {
    const int8 = responseOf({ ...RECORDED, data: [{ index: 0, embedding: 'AQI=' }] });
    expect(wire.read(int8, { ...request, output_dtype: 'int8' }, ['a']).vectors).toEqual(['AQI=']);
  });

  it('puts vectors in the order of their indexes', () => {
    const data = [1, 0].map((index) => ({ object: 'embedding', index, embedding: [index] }));
    const part = wire.read(responseOf({ ...RECORDED, data }), { model: 'm', input: ['a', 'b'] }, ['a', 'b']);
    expect(part.vectors).toEqual([[0], [1]]);
    expect(part.body).toBeUndefined();
  });

  it.each([
    [[{ embedding: [0] }, { embedding: [1] }]],
    [
      [
        { index: 7, embedding: [0] },
        { index: 7, embedding: [1] },
      ],
    ],
  ])('keeps the order of %j, which has no indexes of its own', (data) => {
    const part = wire.read(responseOf({ ...RECORDED, data }), { model: 'm', input: ['a', 'b'] }, ['a', 'b']);
    expect(part.vectors).toEqual([[0], [1]]);
  });

  it('reads usage as far as there is any', () => {
    expect(wire.read(responseOf({ ...RECORDED, usage: { total_tokens: 4 } }), request, ['a']).tokens).toBe(4);
    for (const usage of [undefined, null, 5, {}, { prompt_tokens: -1 }]) {
      const part = wire.read(responseOf({ ...RECORDED, usage }), request, ['a']);
      expect(part.tokens).toBeUndefined();
      // What the client gets must have usage.
      expect(part.body).toBeUndefined();
    }
  });

  it.each([
    '',
    '<html>',
    '[]',
    '{}',
    '{"data":[]}',
    '{"data":[{"embedding":[]}]}',
    '{"data":[{"embedding":[1,null]}]}',
    '{"data":[{"embedding":"!"}]}',
    '{"data":[null]}',
    '{"data":[{"embedding":[1]},{"embedding":[1]}]}',
  ])('refuses %j as a response for one text', (text) => {
    expect(() => wire.read({ text, headers: {} }, request, ['a'])).toThrow(GatewayError);
    expect(() => wire.read({ text, headers: {} }, request, ['a'])).toThrow(
      expect.objectContaining({ status: 502, code: 'upstream_error', retryable: true }) as Error,
    );
  });
});
