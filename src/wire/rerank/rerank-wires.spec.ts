import fc from 'fast-check';
import type { RerankRequest } from '../../operations/rerank/rerank-request.js';
import { BedrockRerank, CohereRerank } from './cohere.js';
import { JinaRerank, VoyageRerank } from './jina.js';
import { mergeRanks, splitDocuments } from './merge-parts.js';
import type { RerankWire } from './rerank-wire.js';
import { TeiRerank } from './tei.js';

const REQUEST: RerankRequest = {
  model: 'm',
  query: 'capital of the US',
  documents: ['Carson City', { text: 'Washington' }],
  top_n: 5,
  return_documents: true,
  max_tokens_per_doc: 64,
  truncation: true,
  raw_scores: false,
};
const ALL = { first: 0, count: 2 };
const TEXTS = ['Carson City', 'Washington'];

interface Case {
  readonly wire: RerankWire;
  readonly path: string;
  readonly body: unknown;
  readonly dropped: string[];
  /** As the provider's documentation has it. */
  readonly response: unknown;
  readonly results: { index: number; score: number }[];
  readonly usage: { tokens: number | undefined; searchUnits: number | undefined };
}

const CASES: Readonly<Record<string, Case>> = {
  cohere: {
    wire: new CohereRerank('rerank-v3.5'),
    path: '/rerank',
    body: { model: 'rerank-v3.5', query: REQUEST.query, documents: TEXTS, top_n: 2, max_tokens_per_doc: 64 },
    dropped: ['truncation', 'raw_scores'],
    response: {
      results: [
        { index: 1, relevance_score: 0.999071 },
        { index: 0, relevance_score: 0.32713068 },
      ],
      id: '07734bd2-2473-4f07-94e1-0d9f0e6843cf',
      meta: { api_version: { version: '2', is_experimental: false }, billed_units: { search_units: 1 } },
    },
    results: [
      { index: 1, score: 0.999071 },
      { index: 0, score: 0.32713068 },
    ],
    usage: { tokens: undefined, searchUnits: 1 },
  },
  'bedrock cohere': {
    wire: new BedrockRerank('cohere.rerank-v3-5:0'),
    path: '/model/cohere.rerank-v3-5%3A0/invoke',
    body: { query: REQUEST.query, documents: TEXTS, top_n: 2, api_version: 2, max_tokens_per_doc: 64 },
    dropped: ['truncation', 'raw_scores'],
    response: { results: [{ index: 0, relevance_score: 0.4 }] },
    results: [{ index: 0, score: 0.4 }],
    usage: { tokens: undefined, searchUnits: undefined },
  },
  'bedrock amazon': {
    wire: new BedrockRerank('amazon.rerank-v1:0'),
    path: '/model/amazon.rerank-v1%3A0/invoke',
    body: { query: REQUEST.query, documents: TEXTS, top_n: 2 },
    dropped: ['max_tokens_per_doc', 'truncation', 'raw_scores'],
    response: { results: [{ index: 0, relevance_score: 0.4 }] },
    results: [{ index: 0, score: 0.4 }],
    usage: { tokens: undefined, searchUnits: undefined },
  },
  jina: {
    wire: new JinaRerank('jina-reranker-v2-base-multilingual', true),
    path: '/rerank',
    body: {
      model: 'jina-reranker-v2-base-multilingual',
      query: REQUEST.query,
      documents: REQUEST.documents,
      top_n: 2,
      return_documents: false,
      max_tokens_per_doc: 64,
      truncation: true,
      raw_scores: false,
    },
    dropped: [],
    response: {
      model: 'jina-reranker-v2-base-multilingual',
      object: 'list',
      usage: { total_tokens: 38, prompt_tokens: 38 },
      results: [{ index: 1, document: { text: 'Washington' }, relevance_score: 0.8783142566680908 }],
    },
    results: [{ index: 1, score: 0.8783142566680908 }],
    usage: { tokens: 38, searchUnits: undefined },
  },
  vllm: {
    wire: new JinaRerank('BAAI/bge-reranker-base'),
    path: '/rerank',
    body: {
      model: 'BAAI/bge-reranker-base',
      query: REQUEST.query,
      documents: TEXTS,
      top_n: 2,
      return_documents: false,
      max_tokens_per_doc: 64,
      truncation: true,
      raw_scores: false,
    },
    dropped: [],
    response: {
      id: 'rerank-fae51b2b664d4ed38f5969b612edff77',
      model: 'BAAI/bge-reranker-base',
      usage: { total_tokens: 56 },
      results: [
        { index: 1, document: { text: 'Washington' }, relevance_score: 0.99853515625 },
        { index: 0, document: { text: 'Carson City' }, relevance_score: 0.0005860328674316406 },
      ],
    },
    results: [
      { index: 1, score: 0.99853515625 },
      { index: 0, score: 0.0005860328674316406 },
    ],
    usage: { tokens: 56, searchUnits: undefined },
  },
  voyage: {
    wire: new VoyageRerank('rerank-2'),
    path: '/rerank',
    body: { model: 'rerank-2', query: REQUEST.query, documents: TEXTS, top_k: 2, truncation: true },
    dropped: ['max_tokens_per_doc', 'raw_scores'],
    response: {
      object: 'list',
      data: [
        { relevance_score: 0.4375, index: 0 },
        { relevance_score: 0.421875, index: 1 },
      ],
      model: 'rerank-2',
      usage: { total_tokens: 26 },
    },
    results: [
      { index: 0, score: 0.4375 },
      { index: 1, score: 0.421875 },
    ],
    usage: { tokens: 26, searchUnits: undefined },
  },
  tei: {
    wire: new TeiRerank(),
    path: '/rerank',
    body: { query: REQUEST.query, texts: TEXTS, raw_scores: false },
    dropped: ['max_tokens_per_doc', 'truncation'],
    response: [
      { index: 1, score: 0.9976 },
      { index: 0, score: 0.12 },
    ],
    results: [
      { index: 1, score: 0.9976 },
      { index: 0, score: 0.12 },
    ],
    usage: { tokens: undefined, searchUnits: undefined },
  },
};

describe.each(Object.entries(CASES))('%s', (_name, { wire, path, body, dropped, response, results, usage }) => {
  it('is written as the provider documents it', () => {
    expect(wire.write(REQUEST, ALL)).toEqual({ path, body });
    expect(wire.dropped(REQUEST)).toEqual(dropped);
  });

  it('is read with the indexes of the request', () => {
    expect(wire.read(JSON.stringify(response), ALL)).toMatchObject({ results, usage });
    const later = wire.read(JSON.stringify(response), { first: 10, count: 2 });
    expect(later.results.map(({ index }) => index)).toEqual(results.map(({ index }) => index + 10));
  });

  it.each([
    '',
    '{}',
    'null',
    '{"results":[{"index":2,"relevance_score":1}],"data":[{"index":2,"relevance_score":1}]}',
    '{"results":[{"index":0}],"data":[{"index":0}]}',
    '[{"index":0,"score":"1"}]',
    '{"results":[{"index":0,"relevance_score":1},{"index":0,"relevance_score":1}],"data":[5]}',
  ])('refuses %j', (text) => {
    expect(() => wire.read(text, ALL)).toThrow(
      expect.objectContaining({ status: 502, code: 'upstream_error' }) as Error,
    );
  });
});

describe('documents that are objects', () => {
  const wire = new CohereRerank('m');
  const write = (documents: RerankRequest['documents'], rank_fields?: string[]): unknown =>
    wire.write(
      { model: 'm', query: 'q', documents, ...(rank_fields && { rank_fields }) },
      { first: 0, count: documents.length },
    ).body['documents'];

  it('become their text, or the fields that are to be compared', () => {
    const document = { title: 'Nevada', text: 'Carson City', year: 1861, empty: null };
    expect(write([document])).toEqual(['Carson City']);
    expect(write([document], ['title'])).toEqual(['Nevada']);
    expect(write([document, 'plain'], ['title', 'year', 'empty', 'none'])).toEqual([
      'title: Nevada\nyear: 1861',
      'plain',
    ]);
  });

  it('are refused by name where they have none of the fields', () => {
    for (const fields of [undefined, ['body', 'head']]) {
      expect(() => write(['a', { image: 'https://example.com/a.png' }], fields)).toThrow(
        expect.objectContaining({ status: 400, param: 'documents[1]' }) as Error,
      );
    }
  });
});

it('gives the same ranking from several calls as from one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 80 }),
      fc.integer({ min: 1, max: 40 }),
      fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
      (scores, limit, top) => {
        const request: RerankRequest = {
          model: 'm',
          query: 'q',
          documents: scores.map(String),
          ...(top && { top_n: top }),
        };
        const groups = splitDocuments(scores.length, limit);
        expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(scores.length);
        const parts = groups.map((group) => {
          expect(group.count).toBeLessThanOrEqual(limit);
          const response = scores
            .slice(group.first, group.first + group.count)
            .map((relevance_score, index) => ({ index, relevance_score }));
          return new JinaRerank('m').read(
            JSON.stringify({ results: response, usage: { total_tokens: group.count } }),
            group,
          );
        });
        const { results, usage } = mergeRanks(parts, request, 'm');
        const expected = scores
          .map((score, index) => ({ index, score }))
          .toSorted((one, other) => other.score - one.score || one.index - other.index)
          .slice(0, top);
        expect(results).toEqual(expected.map((each) => ({ ...each, score: Number(JSON.stringify(each.score)) })));
        expect(usage.tokens).toBe(scores.length);
      },
    ),
  );
});
