import type { CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { ANTHROPIC } from '../anthropic/anthropic-wire.js';
import { COHERE } from '../cohere/cohere-wire.js';
import { GEMINI } from '../gemini/gemini-wire.js';
import { OPENAI_CHAT } from '../openai-chat/openai-chat-wire.js';
import { OPENAI_RESPONSES } from '../openai-responses/openai-responses-wire.js';
import { BEDROCK_CONVERSE } from './bedrock-converse-wire.js';

const CONTEXT = { upstreamModel: 'claude', redact: (text: string) => text, now: 0 };
const SOURCE_CONTENT = [{ text: 'The sky ' }, { text: 'is blue.' }];
/** Locations of Converse with what Anthropic has for them. */
const LOCATIONS: readonly (readonly [JsonObject, JsonObject])[] = [
  [
    { documentChar: { documentIndex: 1, start: 3, end: 9 } },
    { type: 'char_location', document_index: 1, start_char_index: 3, end_char_index: 9 },
  ],
  [
    { documentPage: { documentIndex: 0, start: 2, end: 3 } },
    { type: 'page_location', document_index: 0, start_page_number: 2, end_page_number: 3 },
  ],
  [
    { documentChunk: { documentIndex: 2, start: 0, end: 1 } },
    { type: 'content_block_location', document_index: 2, start_block_index: 0, end_block_index: 1 },
  ],
  [
    { searchResultLocation: { searchResultIndex: 4, start: 0, end: 1 } },
    { type: 'search_result_location', search_result_index: 4, start_block_index: 0, end_block_index: 1 },
  ],
  [
    { web: { url: 'https://example.com/sky', domain: 'example.com' } },
    { type: 'web_search_result_location', url: 'https://example.com/sky', title: 'Sky' },
  ],
  [{ of_tomorrow: {} }, { type: 'char_location', document_index: 0 }],
];

const document = (extras: JsonObject): JsonObject => ({
  type: 'document',
  title: 'Sky',
  source: { type: 'text', media_type: 'text/plain', data: 'The sky is blue.' },
  ...extras,
});
const requestWith = (...content: JsonObject[]): JsonObject => ({
  model: 'm',
  max_tokens: 10,
  messages: [{ role: 'user', content: [...content, { type: 'text', text: 'Which colour has the sky?' }] }],
});

describe('citations of Converse', () => {
  it.each(LOCATIONS)('%j is read whole and streamed as Anthropic has it', (location, expected) => {
    const citation = { title: 'Sky', source: 'doc', sourceContent: SOURCE_CONTENT, location };
    const result = BEDROCK_CONVERSE.readResponse(
      {
        output: {
          message: {
            role: 'assistant',
            content: [{ text: 'It is ' }, { citationsContent: { content: [{ text: 'blue' }], citations: [citation] } }],
          },
        },
        stopReason: 'end_turn',
        usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
      },
      CONTEXT,
    );
    const wanted = { ...expected, cited_text: 'The sky is blue.' };
    expect(result.choices[0]?.blocks).toMatchObject([
      { type: 'text', text: 'It is ' },
      { type: 'text', text: 'blue', extras: { anthropic: { citations: [wanted] } } },
    ]);
    const reader = BEDROCK_CONVERSE.readStream(CONTEXT);
    const out: CanonicalChunk[] = [];
    const read = (event: string, data: object): void => reader.read({ event, data: JSON.stringify(data) }, out);
    read('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'blue' } });
    read('contentBlockDelta', { contentBlockIndex: 0, delta: { citation } });
    read('contentBlockStop', { contentBlockIndex: 0 });
    read('messageStop', { stopReason: 'end_turn' });
    reader.end(out);
    expect(out.find(({ type }) => type === 'block_extras')).toMatchObject({
      index: 0,
      extras: { anthropic: { citations: [wanted] } },
    });
  });

  it('are asked for where the model is Claude, with the context of the document', () => {
    const request = ANTHROPIC.readRequest(
      requestWith(document({ citations: { enabled: true }, context: 'From a book.' })),
    );
    const target = { upstreamModel: 'claude', client: 'anthropic' as const, traits: { claude: true } };
    const { body, dropped } = BEDROCK_CONVERSE.writeRequest(request, target);
    expect(body).toMatchObject({
      messages: [{ content: [{ document: { citations: { enabled: true }, context: 'From a book.' } }, {}] }],
    });
    expect(dropped).toEqual([]);
  });

  const others = [
    ['Converse', BEDROCK_CONVERSE],
    ['Cohere', COHERE],
    ['Gemini', GEMINI],
    ['OpenAI chat', OPENAI_CHAT],
    ['Responses', OPENAI_RESPONSES],
  ] as const;
  it.each(others)('are named as dropped where the model has none: %s', (_name, wire) => {
    const write = (extras: JsonObject): readonly string[] =>
      wire.writeRequest(ANTHROPIC.readRequest(requestWith(document(extras))), {
        upstreamModel: 'm',
        client: 'anthropic',
        traits: {},
      }).dropped;
    expect(write({ citations: { enabled: true }, context: 'From a book.' })).toEqual(
      expect.arrayContaining(['messages[].citations', 'messages[].context']),
    );
    expect(write({ citations: { enabled: false } })).not.toContain('messages[].citations');
    expect(write({})).not.toContain('messages[].citations');
  });
});
