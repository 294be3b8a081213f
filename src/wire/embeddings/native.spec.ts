import { inputsOf, type EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';
import { toBase64 } from '../../operations/embeddings/float-bytes.js';
import { bedrockEmbeddings } from './bedrock.js';
import { CohereEmbeddings } from './cohere.js';
import type { EmbeddingWire } from './embedding-wire.js';
import { GeminiEmbeddings } from './gemini.js';
import { OllamaEmbeddings } from './ollama.js';
import { VertexEmbeddings } from './vertex.js';

const TEXTS: EmbeddingRequest = {
  model: 'm',
  input: ['a', 'b'],
  dimensions: 256,
  user: 'u',
  input_type: 'search_query',
};

/** One format: the request for `TEXTS`, and a response as documented by the provider. */
interface Case {
  readonly wire: EmbeddingWire;
  readonly request: EmbeddingRequest;
  readonly path: string;
  readonly body: unknown;
  readonly dropped: string[];
  readonly response: unknown;
  readonly headers?: Record<string, string>;
  readonly vectors: number[][];
  readonly tokens: number | undefined;
}

const CASES: Readonly<Record<string, Case>> = {
  gemini: {
    wire: new GeminiEmbeddings('gemini-embedding-001'),
    request: TEXTS,
    path: '/models/gemini-embedding-001:batchEmbedContents',
    body: {
      requests: ['a', 'b'].map((text) => ({
        model: 'models/gemini-embedding-001',
        content: { parts: [{ text }] },
        taskType: 'RETRIEVAL_QUERY',
        outputDimensionality: 256,
      })),
    },
    dropped: ['user'],
    response: { embeddings: [{ values: [-0.022374554, 0.004560777] }, { values: [0.013, -0.02] }] },
    vectors: [
      [-0.022374554, 0.004560777],
      [0.013, -0.02],
    ],
    tokens: undefined,
  },
  'gemini with usage': {
    wire: new GeminiEmbeddings('models/gemini-embedding-2'),
    request: { model: 'm', input: 'a', task_type: 'FACT_VERIFICATION' },
    path: '/models/gemini-embedding-2:batchEmbedContents',
    body: {
      requests: [
        {
          model: 'models/gemini-embedding-2',
          content: { parts: [{ text: 'a' }] },
          taskType: 'FACT_VERIFICATION',
        },
      ],
    },
    dropped: [],
    response: { embeddings: [{ values: [1, 0] }], usageMetadata: { promptTokenCount: 3 } },
    vectors: [[1, 0]],
    tokens: 3,
  },
  vertex: {
    wire: new VertexEmbeddings('text-embedding-005'),
    request: TEXTS,
    path: '/models/text-embedding-005:predict',
    body: {
      instances: [
        { content: 'a', task_type: 'RETRIEVAL_QUERY' },
        { content: 'b', task_type: 'RETRIEVAL_QUERY' },
      ],
      parameters: { outputDimensionality: 256 },
    },
    dropped: ['user'],
    response: {
      predictions: [
        { embeddings: { statistics: { truncated: false, token_count: 6 }, values: [0.1, 0.2] } },
        { embeddings: { statistics: { truncated: false, token_count: 2 }, values: [0.3, 0.4] } },
      ],
      metadata: { billableCharacterCount: 20 },
    },
    vectors: [
      [0.1, 0.2],
      [0.3, 0.4],
    ],
    tokens: 8,
  },
  'vertex embedContent': {
    wire: new VertexEmbeddings('gemini-embedding-2'),
    request: { model: 'm', input: 'a', dimensions: 256, auto_truncate: false },
    path: '/models/gemini-embedding-2:embedContent',
    body: {
      content: { parts: [{ text: 'a' }] },
      embedContentConfig: { outputDimensionality: 256, autoTruncate: false },
    },
    dropped: [],
    response: { embedding: { values: [0.5, 0.5] }, usageMetadata: { promptTokenCount: 4 } },
    vectors: [[0.5, 0.5]],
    tokens: 4,
  },
  'titan v1': {
    wire: bedrockEmbeddings('amazon.titan-embed-text-v1'),
    request: { model: 'm', input: 'a', normalize: true },
    path: '/model/amazon.titan-embed-text-v1/invoke',
    body: { inputText: 'a' },
    dropped: ['normalize'],
    response: { embedding: [0.1, 0.2], inputTextTokenCount: 5 },
    vectors: [[0.1, 0.2]],
    tokens: 5,
  },
  'titan v2': {
    wire: bedrockEmbeddings('amazon.titan-embed-text-v2:0'),
    request: { model: 'm', input: 'a', dimensions: 256, normalize: true },
    path: '/model/amazon.titan-embed-text-v2%3A0/invoke',
    body: { inputText: 'a', dimensions: 256, normalize: true },
    dropped: [],
    response: { embedding: [0.1, 0.2], embeddingsByType: { float: [0.1, 0.2] }, inputTextTokenCount: 5 },
    vectors: [[0.1, 0.2]],
    tokens: 5,
  },
  'titan multimodal': {
    wire: bedrockEmbeddings('amazon.titan-embed-image-v1'),
    request: { model: 'm', input: 'a', dimensions: 256 },
    path: '/model/amazon.titan-embed-image-v1/invoke',
    body: { inputText: 'a', embeddingConfig: { outputEmbeddingLength: 256 } },
    dropped: [],
    response: { embedding: [0.1], inputTextTokenCount: 1, message: null },
    vectors: [[0.1]],
    tokens: 1,
  },
  'bedrock cohere v3': {
    wire: bedrockEmbeddings('cohere.embed-multilingual-v3'),
    request: { model: 'm', input: ['a', 'b'] },
    path: '/model/cohere.embed-multilingual-v3/invoke',
    body: { texts: ['a', 'b'], input_type: 'search_document', embedding_types: ['float'] },
    dropped: [],
    response: { embeddings: [[0.1], [0.2]], id: 'x', response_type: 'embeddings_floats', texts: ['a', 'b'] },
    headers: { 'x-amzn-bedrock-input-token-count': '9' },
    vectors: [[0.1], [0.2]],
    tokens: 9,
  },
  'bedrock cohere v4': {
    wire: bedrockEmbeddings('us.cohere.embed-v4:0'),
    request: TEXTS,
    path: '/model/us.cohere.embed-v4%3A0/invoke',
    body: { texts: ['a', 'b'], input_type: 'search_query', embedding_types: ['float'], output_dimension: 256 },
    dropped: ['user'],
    response: { id: 'x', embeddings: { float: [[0.1], [0.2]] }, response_type: 'embeddings_by_type' },
    vectors: [[0.1], [0.2]],
    tokens: undefined,
  },
  cohere: {
    wire: new CohereEmbeddings('embed-v4.0'),
    request: { ...TEXTS, truncate: 'END' },
    path: '/embed',
    body: {
      model: 'embed-v4.0',
      texts: ['a', 'b'],
      input_type: 'search_query',
      embedding_types: ['float'],
      output_dimension: 256,
      truncate: 'END',
    },
    dropped: ['user'],
    response: {
      id: '5807ee2e-0cda-445a-9ec8-864c60a06606',
      embeddings: {
        float: [
          [0.016296387, -0.008354187],
          [0.04663086, -0.023239136],
        ],
      },
      texts: ['a', 'b'],
      meta: { api_version: { version: '2' }, billed_units: { input_tokens: 4 } },
      response_type: 'embeddings_by_type',
    },
    vectors: [
      [0.016296387, -0.008354187],
      [0.04663086, -0.023239136],
    ],
    tokens: 4,
  },
  ollama: {
    wire: new OllamaEmbeddings('all-minilm'),
    request: { ...TEXTS, keep_alive: '5m' },
    path: '/api/embed',
    body: { model: 'all-minilm', input: ['a', 'b'], dimensions: 256, keep_alive: '5m' },
    dropped: ['user', 'input_type'],
    response: {
      model: 'all-minilm',
      embeddings: [
        [0.010071029, -0.0017594862],
        [-0.0098027075, 0.06042469],
      ],
      total_duration: 14143917,
      load_duration: 1019500,
      prompt_eval_count: 8,
    },
    vectors: [
      [0.010071029, -0.0017594862],
      [-0.0098027075, 0.06042469],
    ],
    tokens: 8,
  },
};

describe.each(Object.entries(CASES))(
  '%s',
  (_name, { wire, request, path, body, dropped, response, headers, vectors, tokens }) => {
    const inputs = inputsOf(request);
    const received = { text: JSON.stringify(response), headers: headers ?? {} };

    it('is written as the provider documents it', () => {
      expect(wire.write(request, inputs, 0)).toEqual({ path, body });
      expect(wire.dropped(request)).toEqual(dropped);
      expect(inputs.length).toBeLessThanOrEqual(wire.maxInputs);
    });

    it('is read in either encoding', () => {
      expect(wire.read(received, request, inputs)).toMatchObject({ vectors, tokens });
      const base64 = wire.read(received, { ...request, encoding_format: 'base64' }, inputs);
      expect(base64.vectors).toEqual(vectors.map(toBase64));
    });

    it('refuses tokens and unknown encodings by name', () => {
      const one = expect.objectContaining({ status: 400, param: 'input' }) as Error;
      expect(() => wire.write({ ...request, input: [1, 2], dimensions: null }, [[1, 2]], 0)).toThrow(one);
      const third = expect.objectContaining({ status: 400, param: 'input[2]' }) as Error;
      expect(() => wire.write({ ...request, input: [[1], [1], [1]], dimensions: null }, [[1]], 2)).toThrow(third);
      const encoding = expect.objectContaining({ status: 400, param: 'encoding_format' }) as Error;
      expect(() => wire.write({ ...request, encoding_format: 'int8' }, inputs, 0)).toThrow(encoding);
    });

    it('takes nothing for vectors that is none', () => {
      for (const text of [
        '',
        'x',
        '[]',
        '{}',
        '{"embeddings":[]}',
        '{"embeddings":{"float":[[]]}}',
        '{"predictions":[{}]}',
      ]) {
        expect(() => wire.read({ text, headers: {} }, request, inputs)).toThrow(
          expect.objectContaining({ status: 502, code: 'upstream_error' }) as Error,
        );
      }
    });
  },
);

it('refuses dimensions for the first Titan, whose vectors have one length', () => {
  const wire = bedrockEmbeddings('amazon.titan-embed-text-v1');
  expect(() => wire.write({ model: 'm', input: 'a', dimensions: 256 }, ['a'], 0)).toThrow(
    expect.objectContaining({ status: 400, param: 'dimensions', code: 'unsupported_parameter' }) as Error,
  );
});

it('knows which models of Bedrock embed', () => {
  expect(() => bedrockEmbeddings('anthropic.claude-3-haiku')).toThrow(
    expect.objectContaining({ status: 400, param: 'model' }) as Error,
  );
});
