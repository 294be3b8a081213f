import { parseModerationRequest as parseModeration } from '../moderations/moderation-request.js';
import { parseRerankRequest } from '../rerank/rerank-request.js';
import { parseEmbeddingRequest } from './embedding-request.js';

const parseModerationRequest = (body: unknown): ReturnType<typeof parseModeration> =>
  parseModeration(body, () => 'omni-moderation-latest');

type Fault = [body: unknown, param: string | null, code: string];

function expectFault(parse: (body: unknown) => unknown, [body, param, code]: Fault): void {
  expect(() => parse(body)).toThrow(expect.objectContaining({ status: 400, param, code }) as Error);
}

describe('embeddings', () => {
  it.each(['a', '', ['a', ''], [1, 0], [[1], [2, 3]]])(
    'accepts %j, and returns the object that was passed',
    (input) => {
      const body = { model: 'm', input, dimensions: null, encoding_format: 'base64', anything: { else: 1 } };
      const copy = structuredClone(body);
      expect(parseEmbeddingRequest(body)).toBe(body);
      expect(body).toEqual(copy);
    },
  );

  it.each<Fault>([
    [null, null, 'invalid_type'],
    [[], null, 'invalid_type'],
    [{ input: 'a' }, 'model', 'missing_required_parameter'],
    [{ model: 'm' }, 'input', 'missing_required_parameter'],
    [{ model: 'm', input: null }, 'input', 'missing_required_parameter'],
    [{ model: 'm', input: 5 }, 'input', 'invalid_type'],
    [{ model: 'm', input: {} }, 'input', 'invalid_type'],
    [{ model: 'm', input: [] }, 'input', 'empty_array'],
    [{ model: 'm', input: [[]] }, 'input[0]', 'empty_array'],
    [{ model: 'm', input: [null] }, 'input[0]', 'invalid_type'],
    [{ model: 'm', input: ['a', 5] }, 'input[1]', 'invalid_type'],
    [{ model: 'm', input: ['a', [5]] }, 'input[1]', 'invalid_type'],
    [{ model: 'm', input: [5, 'a'] }, 'input[1]', 'invalid_type'],
    [{ model: 'm', input: [1.5] }, 'input[0]', 'invalid_type'],
    [{ model: 'm', input: [-1] }, 'input[0]', 'invalid_type'],
    [{ model: 'm', input: [[1], [2, 'x']] }, 'input[1][1]', 'invalid_type'],
    [{ model: 'm', input: new Array<string>(2_049).fill('a') }, 'input', 'array_above_max_length'],
    [{ model: 'm', input: 'a', dimensions: 0 }, 'dimensions', 'invalid_value'],
    [{ model: 'm', input: 'a', dimensions: '8' }, 'dimensions', 'invalid_type'],
    [{ model: 'm', input: 'a', encoding_format: 5 }, 'encoding_format', 'invalid_type'],
    [{ model: 'm', input: 'a', user: 5 }, 'user', 'invalid_type'],
  ])('refuses %j', (...fault) => expectFault(parseEmbeddingRequest, fault));
});

describe('rerank', () => {
  it('returns the object that was passed', () => {
    const body = { model: 'm', query: 'q', documents: ['a', { text: 'b' }], top_n: null, priority: 1 };
    expect(parseRerankRequest(body)).toBe(body);
  });

  it.each<Fault>([
    [{ query: 'q', documents: ['a'] }, 'model', 'missing_required_parameter'],
    [{ model: 'm', documents: ['a'] }, 'query', 'missing_required_parameter'],
    [{ model: 'm', query: 'q' }, 'documents', 'missing_required_parameter'],
    [{ model: 'm', query: 'q', documents: 'a' }, 'documents', 'invalid_type'],
    [{ model: 'm', query: 'q', documents: [] }, 'documents', 'empty_array'],
    [{ model: 'm', query: 'q', documents: ['a', 5] }, 'documents[1]', 'invalid_type'],
    [{ model: 'm', query: 'q', documents: new Array<string>(10_001).fill('a') }, 'documents', 'array_above_max_length'],
    [{ model: 'm', query: 'q', documents: ['a'], top_n: 0 }, 'top_n', 'invalid_value'],
    [{ model: 'm', query: 'q', documents: ['a'], rank_fields: [5] }, 'rank_fields', 'invalid_type'],
    [{ model: 'm', query: 'q', documents: ['a'], return_documents: 'yes' }, 'return_documents', 'invalid_type'],
  ])('refuses %j', (...fault) => expectFault(parseRerankRequest, fault));
});

describe('moderations', () => {
  it('takes OpenAI’s default model where none is named', () => {
    expect(parseModerationRequest({ input: 'a' })).toEqual({ input: 'a', model: 'omni-moderation-latest' });
    expect(parseModerationRequest({ input: 'a', model: null }).model).toBe('omni-moderation-latest');
    expect(parseModerationRequest({ input: [{ type: 'text', text: 'a' }], model: 'm' }).model).toBe('m');
  });

  it.each<Fault>([
    [{ model: 'm' }, 'input', 'missing_required_parameter'],
    [{ model: 5, input: 'a' }, 'model', 'invalid_type'],
    [{ input: 5 }, 'input', 'invalid_type'],
    [{ input: [] }, 'input', 'empty_array'],
    [{ input: ['a', {}] }, 'input[1]', 'invalid_type'],
    [{ input: [{}] }, 'input[0].type', 'missing_required_parameter'],
    [{ input: [{ type: 'text' }] }, 'input[0].text', 'missing_required_parameter'],
    [{ input: [{ type: 'image_url', image_url: 'x' }] }, 'input[0].image_url', 'invalid_type'],
  ])('refuses %j', (...fault) => expectFault(parseModerationRequest, fault));
});
