import { isObject, type JsonObject } from '../runtime/json-value.js';
import type { WireName } from '../operations/chat/canonical/wire-name.js';
import type { CanonicalChunk, CanonicalUsage } from '../operations/chat/canonical/canonical-result.js';
import { ANTHROPIC } from './anthropic/anthropic-wire.js';
import { GEMINI } from './gemini/gemini-wire.js';
import { OPENAI_CHAT } from './openai-chat/openai-chat-wire.js';
import { OPENAI_RESPONSES } from './openai-responses/openai-responses-wire.js';
import type { ReadContext, WireEvent, WireFormat, WriteContext } from './wire-format.js';
import { providerWireOf } from './wire-formats.js';

/** What all the responses below were billed for: of 100 tokens, 60 came from the cache, 25 went into it, 10 of these for an hour. */
const [PROMPT, READ, WRITTEN, FOR_AN_HOUR, OUTPUT] = [100, 60, 25, 10, 7];
const READING: ReadContext = { upstreamModel: 'm', redact: (text) => text, now: 1_700_000_000_000 };
const WRITING: WriteContext = {
  model: 'm',
  requestId: 'req_1',
  responseId: 'resp_1',
  now: 1_700_000_000_000,
  request: { model: 'm', messages: [{ role: 'user', blocks: [{ type: 'text', text: 'Hi' }] }] },
  includesUsage: true,
  estimatedInputTokens: 999,
};

/** A provider's whole response and its stream, with the counts at the places that its API has for them. */
interface Recorded {
  readonly whole: object;
  readonly events: readonly (readonly [event: string, data: object])[];
  /** Whether the format counts writes, and those of an hour. */
  readonly counts: 'read' | 'written' | 'hour';
}

const chatUsage = {
  prompt_tokens: PROMPT,
  completion_tokens: OUTPUT,
  total_tokens: PROMPT + OUTPUT,
  prompt_tokens_details: { cached_tokens: READ },
};
const chatHead = { id: 'c', created: 1, model: 'm' };
const responsesUsage = {
  input_tokens: PROMPT,
  input_tokens_details: { cached_tokens: READ },
  output_tokens: OUTPUT,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: PROMPT + OUTPUT,
};
const responsesItem = {
  id: 'msg_1',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
};
const responsesBody = {
  id: 'resp_9',
  object: 'response',
  created_at: 1,
  model: 'm',
  status: 'completed',
  output: [responsesItem],
  usage: responsesUsage,
};
const anthropicUsage = {
  input_tokens: PROMPT - READ - WRITTEN,
  cache_read_input_tokens: READ,
  cache_creation_input_tokens: WRITTEN,
  cache_creation: { ephemeral_5m_input_tokens: WRITTEN - FOR_AN_HOUR, ephemeral_1h_input_tokens: FOR_AN_HOUR },
  output_tokens: OUTPUT,
};
const anthropicHead = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', stop_sequence: null };
const geminiUsage = {
  promptTokenCount: PROMPT,
  cachedContentTokenCount: READ,
  candidatesTokenCount: OUTPUT,
  totalTokenCount: PROMPT + OUTPUT,
};
const geminiBody = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: geminiUsage,
  modelVersion: 'm',
};
const converseUsage = {
  inputTokens: PROMPT - READ - WRITTEN,
  cacheReadInputTokens: READ,
  cacheWriteInputTokens: WRITTEN,
  cacheDetails: [
    { ttl: '5m', inputTokens: WRITTEN - FOR_AN_HOUR },
    { ttl: '1h', inputTokens: FOR_AN_HOUR },
  ],
  outputTokens: OUTPUT,
  totalTokens: PROMPT + OUTPUT,
};
const cohereUsage = { billed_units: { input_tokens: PROMPT, output_tokens: OUTPUT }, cached_tokens: READ };

const PROVIDERS: { readonly [Name in WireName]?: Recorded } = {
  'openai-chat': {
    whole: {
      ...chatHead,
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
      usage: chatUsage,
    },
    events: [
      [
        '',
        {
          ...chatHead,
          object: 'chat.completion.chunk',
          choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi' }, finish_reason: null }],
        },
      ],
      ['', { ...chatHead, object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }],
      ['', { ...chatHead, object: 'chat.completion.chunk', choices: [], usage: chatUsage }],
    ],
    counts: 'read',
  },
  'openai-responses': {
    whole: responsesBody,
    events: [
      [
        'response.created',
        { type: 'response.created', response: { ...responsesBody, status: 'in_progress', output: [], usage: null } },
      ],
      [
        'response.output_item.added',
        { type: 'response.output_item.added', output_index: 0, item: { ...responsesItem, content: [] } },
      ],
      [
        'response.content_part.added',
        {
          type: 'response.content_part.added',
          item_id: 'msg_1',
          output_index: 0,
          content_index: 0,
          part: { type: 'output_text', text: '', annotations: [] },
        },
      ],
      [
        'response.output_text.delta',
        { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'Hi' },
      ],
      ['response.output_item.done', { type: 'response.output_item.done', output_index: 0, item: responsesItem }],
      ['response.completed', { type: 'response.completed', response: responsesBody }],
    ],
    counts: 'read',
  },
  anthropic: {
    whole: {
      ...anthropicHead,
      content: [{ type: 'text', text: 'Hi' }],
      stop_reason: 'end_turn',
      usage: anthropicUsage,
    },
    events: [
      [
        'message_start',
        {
          type: 'message_start',
          message: { ...anthropicHead, content: [], stop_reason: null, usage: { ...anthropicUsage, output_tokens: 1 } },
        },
      ],
      ['content_block_start', { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }],
      ['content_block_delta', { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } }],
      ['content_block_stop', { type: 'content_block_stop', index: 0 }],
      [
        'message_delta',
        {
          type: 'message_delta',
          delta: { stop_reason: 'end_turn', stop_sequence: null },
          usage: { output_tokens: OUTPUT },
        },
      ],
      ['message_stop', { type: 'message_stop' }],
    ],
    counts: 'hour',
  },
  gemini: { whole: geminiBody, events: [['', geminiBody]], counts: 'read' },
  'bedrock-converse': {
    whole: {
      output: { message: { role: 'assistant', content: [{ text: 'Hi' }] } },
      stopReason: 'end_turn',
      usage: converseUsage,
    },
    events: [
      ['messageStart', { role: 'assistant' }],
      ['contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hi' } }],
      ['contentBlockStop', { contentBlockIndex: 0 }],
      ['messageStop', { stopReason: 'end_turn' }],
      ['metadata', { usage: converseUsage }],
    ],
    counts: 'hour',
  },
  cohere: {
    whole: {
      id: 'c',
      finish_reason: 'COMPLETE',
      message: { role: 'assistant', content: [{ type: 'text', text: 'Hi' }] },
      usage: cohereUsage,
    },
    events: [
      ['message-start', { type: 'message-start', id: 'c', delta: { message: { role: 'assistant', content: [] } } }],
      [
        'content-start',
        { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
      ],
      ['content-delta', { type: 'content-delta', index: 0, delta: { message: { content: { text: 'Hi' } } } }],
      ['content-end', { type: 'content-end', index: 0 }],
      ['message-end', { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage: cohereUsage } }],
    ],
    counts: 'read',
  },
};

/** Where each client's format has the counts, of a whole response and of a stream. */
const CLIENTS: readonly {
  readonly wire: WireFormat;
  /** The usage object of a body, or of the events of a stream. */
  readonly usageOf: (bodies: readonly JsonObject[]) => unknown;
  readonly expected: (counts: Recorded['counts']) => object;
}[] = [
  {
    wire: OPENAI_CHAT,
    usageOf: (bodies) => bodies.findLast(({ usage }) => isObject(usage))?.['usage'],
    expected: (counts) => ({
      prompt_tokens: PROMPT,
      completion_tokens: OUTPUT,
      total_tokens: PROMPT + OUTPUT,
      prompt_tokens_details: { cached_tokens: READ, ...(counts !== 'read' && { cache_write_tokens: WRITTEN }) },
    }),
  },
  {
    wire: OPENAI_RESPONSES,
    usageOf: (bodies) => {
      const last = bodies.at(-1);
      return isObject(last?.['response']) ? last['response']['usage'] : last?.['usage'];
    },
    expected: () => ({
      input_tokens: PROMPT,
      input_tokens_details: { cached_tokens: READ },
      output_tokens: OUTPUT,
      total_tokens: PROMPT + OUTPUT,
    }),
  },
  {
    wire: ANTHROPIC,
    usageOf: (bodies) => bodies.findLast(({ usage }) => isObject(usage))?.['usage'],
    expected: (counts) => ({
      input_tokens: PROMPT - READ - (counts === 'read' ? 0 : WRITTEN),
      cache_read_input_tokens: READ,
      cache_creation_input_tokens: counts === 'read' ? 0 : WRITTEN,
      cache_creation:
        counts === 'hour'
          ? { ephemeral_5m_input_tokens: WRITTEN - FOR_AN_HOUR, ephemeral_1h_input_tokens: FOR_AN_HOUR }
          : null,
      output_tokens: OUTPUT,
    }),
  },
  {
    wire: GEMINI,
    usageOf: (bodies) => bodies.findLast((body) => isObject(body['usageMetadata']))?.['usageMetadata'],
    expected: () => ({
      promptTokenCount: PROMPT,
      cachedContentTokenCount: READ,
      candidatesTokenCount: OUTPUT,
      totalTokenCount: PROMPT + OUTPUT,
    }),
  },
];

function chunksOf(name: WireName, events: Recorded['events']): CanonicalChunk[] {
  const reader = providerWireOf(name).readStream(READING);
  const chunks: CanonicalChunk[] = [];
  for (const [event, data] of events) {
    const read: WireEvent = { event, data: JSON.stringify(data) };
    reader.read(read, chunks);
  }
  reader.end(chunks);
  return chunks;
}

/** The JSON of the events of a stream as a client gets it. */
function bodiesOf(text: string): JsonObject[] {
  return text.split('\n').flatMap((line) => {
    const data = line.startsWith('data: ') ? line.slice('data: '.length) : '';
    return data.startsWith('{') ? [JSON.parse(data) as JsonObject] : [];
  });
}

const MATRIX = Object.entries(PROVIDERS).flatMap(([provider, recorded]) =>
  CLIENTS.map((client) => ({
    provider: provider as WireName,
    recorded,
    client,
    name: `${provider} to a client of ${client.wire.name}`,
  })),
);

describe('cached tokens stand at their own place', () => {
  it.each(MATRIX)('rule 2: of $name, whole', ({ provider, recorded, client }) => {
    const result = providerWireOf(provider).readResponse(structuredClone(recorded.whole), READING);
    const body = JSON.parse(JSON.stringify(client.wire.writeResponse(result, WRITING))) as JsonObject;
    expect(client.usageOf([body])).toMatchObject(client.expected(recorded.counts));
  });

  it.each(MATRIX)('rule 2: of $name, streamed', ({ provider, recorded, client }) => {
    const chunks = chunksOf(provider, recorded.events);
    const writer = client.wire.writeStream(WRITING);
    const text = writer.write(chunks) + writer.end();
    expect(client.usageOf(bodiesOf(text))).toMatchObject(client.expected(recorded.counts));
  });

  it.each(Object.entries(PROVIDERS))('are the same whole and streamed, from %s', (provider, { whole, events }) => {
    const name = provider as WireName;
    const usages = chunksOf(name, events).flatMap((chunk): CanonicalUsage[] =>
      chunk.type === 'usage' ? [chunk.usage] : [],
    );
    expect(usages.at(-1)).toEqual(providerWireOf(name).readResponse(structuredClone(whole), READING).usage);
  });
});
