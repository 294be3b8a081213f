import { object, objects, text, type JsonBody } from '../../upstreams/native-formats/wire-format.js';
import {
  count,
  demand,
  eventsOf,
  TOOL_NAMES,
  TOOL_PARAMETERS,
  type Finish,
  type Outcome,
  type WireClient,
} from './wire-client.js';

const FINISHES: Readonly<Record<string, Finish>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  compaction: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

function usageOf(value: unknown): Pick<Outcome, 'usage'> {
  const usage = object(value);
  const cached = count(usage['cache_read_input_tokens']);
  return {
    usage: {
      prompt: count(usage['input_tokens']) + cached + count(usage['cache_creation_input_tokens']),
      completion: count(usage['output_tokens']),
      cached,
    },
  };
}

function finishOf(value: unknown, isStrict: boolean): Finish {
  const finish = FINISHES[text(value)] ?? (isStrict ? undefined : 'stop');
  demand(finish !== undefined, 'stop_reason', value);
  return finish;
}

function readBlocks(content: readonly JsonBody[]): Pick<Outcome, 'text' | 'thinking' | 'calls'> {
  const joined = (type: string, member: string): string =>
    content.map((block) => (block['type'] === type ? text(block[member]) : '')).join('');
  return {
    text: joined('text', 'text'),
    thinking: joined('thinking', 'thinking'),
    calls: content
      .filter(({ type }) => type === 'tool_use')
      .map(({ name, input }) => ({
        name: text(name),
        input: typeof input === 'string' ? input : JSON.stringify(input),
      })),
  };
}

interface OpenBlock {
  readonly block: Record<string, unknown>;
  input: string;
  isOpen: boolean;
}

/** Anthropic's Messages. */
export const MESSAGES_CLIENT: WireClient = {
  name: 'messages',
  native: ['anthropic'],

  ask: ({ model, prompt, isStream, hasTools = false }) => ({
    path: '/v1/messages',
    body: {
      model,
      max_tokens: 1_000,
      messages: [{ role: 'user', content: prompt }],
      stream: isStream,
      ...(hasTools && { tools: TOOL_NAMES.map((name) => ({ name, input_schema: TOOL_PARAMETERS })) }),
    },
  }),

  readWhole(body) {
    if (body['type'] === 'error') return { isWhole: false, text: '', thinking: '', calls: [], error: body };
    demand(body['type'] === 'message' && Array.isArray(body['content']), 'message', body);
    return {
      isWhole: true,
      ...readBlocks(objects(body['content'])),
      finish: finishOf(body['stop_reason'], false),
      ...usageOf(body['usage']),
    };
  },

  readStream(stream, isStrict) {
    const blocks: (OpenBlock | undefined)[] = [];
    let usage: JsonBody | undefined;
    let finish: Finish | undefined;
    let isWhole = false;
    let error: JsonBody | undefined;
    for (const { event, data } of eventsOf(stream)) {
      if (isStrict) demand(!isWhole && error === undefined, 'an event behind the end', data);
      const body = tryParse(data, isStrict);
      const type = text(body['type']) || event;
      if (isStrict) demand(type === event, 'the name of an event', { event, type });
      switch (type) {
        case 'ping':
          break;
        case 'message_start': {
          if (isStrict) demand(usage === undefined, 'message_start twice');
          usage = object(object(body['message'])['usage']);
          if (isStrict) expectFull(usage);
          break;
        }
        case 'content_block_start': {
          if (isStrict) {
            demand(usage !== undefined && finish === undefined, 'a block outside of the message');
            demand(body['index'] === blocks.length, 'index of a block', body);
            demand(
              blocks.every((each) => each?.isOpen !== true),
              'a block within a block',
              body,
            );
          }
          blocks[count(body['index'])] = { block: { ...object(body['content_block']) }, input: '', isOpen: true };
          break;
        }
        case 'content_block_delta': {
          const open = blocks[count(body['index'])];
          if (isStrict) demand(open?.isOpen === true, 'a delta of no block', body);
          if (open !== undefined) takeDelta(open, object(body['delta']), isStrict);
          break;
        }
        case 'content_block_stop': {
          const open = blocks[count(body['index'])];
          if (isStrict) demand(open?.isOpen === true, 'a stop of no block', body);
          if (open !== undefined) open.isOpen = false;
          break;
        }
        case 'message_delta': {
          const reason = object(body['delta'])['stop_reason'];
          if (isStrict) {
            demand(usage !== undefined && finish === undefined, 'message_delta out of place');
            demand(
              blocks.every((each) => each?.isOpen !== true),
              'message_delta within a block',
            );
          }
          if (isStrict || reason != null) finish = finishOf(reason, isStrict);
          usage = { ...usage, ...definedOf(object(body['usage'])) };
          break;
        }
        case 'message_stop':
          if (isStrict) demand(finish !== undefined, 'message_stop without a reason');
          isWhole = true;
          break;
        case 'error':
          error = body;
          break;
        default:
          demand(!isStrict, 'an unknown event', body);
      }
    }
    const content = blocks
      .filter((each) => each !== undefined)
      .map(({ block, input }) => (block['type'] === 'tool_use' ? { ...block, input: input || block['input'] } : block));
    return {
      isWhole,
      ...readBlocks(content),
      ...(finish !== undefined && { finish }),
      ...(usage !== undefined && usageOf(usage)),
      ...(error !== undefined && { error }),
    };
  },
};

function definedOf(members: JsonBody): JsonBody {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value != null));
}

/** Bytes of a provider that reach the client as they are may be no JSON. */
function tryParse(data: string, isStrict: boolean): JsonBody {
  try {
    return object(JSON.parse(data));
  } catch (error) {
    if (isStrict) throw error;
    return {};
  }
}

function expectFull(usage: JsonBody): void {
  for (const name of ['input_tokens', 'output_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens']) {
    demand(Number.isInteger(usage[name]), `message_start without ${name}`, usage);
  }
}

function takeDelta(open: OpenBlock, delta: JsonBody, isStrict: boolean): void {
  const { block } = open;
  const expected: Readonly<Record<string, string>> = {
    text_delta: 'text',
    thinking_delta: 'thinking',
    signature_delta: 'thinking',
    citations_delta: 'text',
    input_json_delta: 'tool_use',
  };
  const type = text(delta['type']);
  if (isStrict) demand(expected[type] === block['type'], 'a delta of another block', { delta, block });
  if (type === 'text_delta') block['text'] = text(block['text']) + text(delta['text']);
  else if (type === 'thinking_delta') block['thinking'] = text(block['thinking']) + text(delta['thinking']);
  else if (type === 'input_json_delta') open.input += text(delta['partial_json']);
}
