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

const REASONS = ['stop', 'length', 'tool_calls', 'content_filter'];

function usageOf(value: unknown): Pick<Outcome, 'usage'> {
  if (typeof value !== 'object' || value === null) return {};
  const usage = object(value);
  demand(
    usage['total_tokens'] === count(usage['prompt_tokens']) + count(usage['completion_tokens']),
    'total_tokens',
    usage,
  );
  return {
    usage: {
      prompt: count(usage['prompt_tokens']),
      completion: count(usage['completion_tokens']),
      cached: count(object(usage['prompt_tokens_details'])['cached_tokens']),
    },
  };
}

function finishOf(value: unknown): Finish {
  demand(REASONS.includes(text(value)), 'finish_reason', value);
  return text(value) as Finish;
}

/** OpenAI's chat completions. */
export const CHAT_CLIENT: WireClient = {
  name: 'chat',
  native: ['openai-chat'],

  ask: ({ model, prompt, isStream, hasTools = false }) => ({
    path: '/v1/chat/completions',
    body: {
      model,
      messages: [{ role: 'user', content: prompt }],
      max_tokens: 1_000,
      stream: isStream,
      ...(isStream && { stream_options: { include_usage: true } }),
      ...(hasTools && {
        tools: TOOL_NAMES.map((name) => ({ type: 'function', function: { name, parameters: TOOL_PARAMETERS } })),
      }),
    },
  }),

  readWhole(body) {
    if (body['error'] !== undefined) return { isWhole: false, text: '', thinking: '', calls: [], error: body };
    const [choice] = objects(body['choices']);
    demand(choice !== undefined, 'no choice', body);
    const message = object(choice['message']);
    demand(message['role'] === 'assistant', 'role', message);
    return {
      isWhole: true,
      text: text(message['content']) + text(message['refusal']),
      thinking: text(message['reasoning_content']) || text(message['reasoning']),
      calls: objects(message['tool_calls']).map((call) => {
        const called = object(call['function']);
        demand(text(call['id']) !== '' && call['type'] === 'function', 'call', call);
        return { name: text(called['name']), input: text(called['arguments']) };
      }),
      finish: finishOf(choice['finish_reason']),
      ...usageOf(body['usage']),
    };
  },

  readStream(stream) {
    const read = { text: '', thinking: '' };
    const calls: { name: string; input: string }[] = [];
    const finishes = new Map<unknown, string>();
    let usage: Pick<Outcome, 'usage'> = {};
    const { chunks, isDone, error } = readEvents(stream);
    for (const chunk of chunks) {
      demand(chunk['object'] === 'chat.completion.chunk' && text(chunk['id']) !== '', 'chunk', chunk);
      for (const choice of objects(chunk['choices'])) {
        const { index, finish_reason: reason } = choice;
        const delta = object(choice['delta']);
        demand(!finishes.has(index), 'a delta behind the finish', chunk);
        if (reason !== null && reason !== undefined) finishes.set(index, finishOf(reason));
        if (index !== 0) continue;
        read.text += text(delta['content']) + text(delta['refusal']);
        read.thinking += text(delta['reasoning_content']) || text(delta['reasoning']);
        for (const call of objects(delta['tool_calls'])) takeCall(call, calls);
      }
      if (chunk['usage'] != null) usage = usageOf(chunk['usage']);
    }
    demand(!isDone || finishes.size > 0, 'a whole stream without a finish');
    demand(!isDone || calls.length === Object.keys(calls).length, 'indices of calls', calls);
    const finish = finishes.get(0);
    return {
      isWhole: isDone,
      ...read,
      calls,
      ...(finish !== undefined && { finish: finish as Finish }),
      ...usage,
      ...(error !== undefined && { error }),
    };
  },
};

/** The chunks of a stream, up to `[DONE]` or an error, behind which there is nothing. */
function readEvents(stream: Parameters<WireClient['readStream']>[0]): {
  readonly chunks: readonly JsonBody[];
  readonly isDone: boolean;
  readonly error: JsonBody | undefined;
} {
  const chunks: JsonBody[] = [];
  let isDone = false;
  let error: JsonBody | undefined;
  for (const { data } of eventsOf(stream)) {
    demand(!isDone && error === undefined, 'an event behind the end', data);
    if (data === '[DONE]') {
      isDone = true;
      continue;
    }
    const chunk = JSON.parse(data) as JsonBody;
    if (chunk['error'] === undefined) chunks.push(chunk);
    else error = chunk;
  }
  return { chunks, isDone, error };
}

function takeCall(call: JsonBody, calls: { name: string; input: string }[]): void {
  const index = count(call['index']);
  const called = object(call['function']);
  let known = calls[index];
  if (known === undefined) {
    demand(text(call['id']) !== '' && text(called['name']) !== '', 'start of a call', call);
    known = { name: text(called['name']), input: '' };
    calls[index] = known;
  }
  known.input += text(called['arguments']);
}

/** OpenAI's legacy completions, which have text alone. */
export const COMPLETIONS_CLIENT: WireClient = {
  name: 'completions',
  native: [],

  ask: ({ model, prompt, isStream }) => ({
    path: '/v1/completions',
    body: {
      model,
      prompt,
      max_tokens: 1_000,
      stream: isStream,
      ...(isStream && { stream_options: { include_usage: true } }),
    },
  }),

  readWhole(body) {
    if (body['error'] !== undefined) return { isWhole: false, text: '', thinking: '', calls: [], error: body };
    const [choice] = objects(body['choices']);
    demand(choice !== undefined && typeof choice['text'] === 'string', 'choice', body);
    const finish = finishOf(choice['finish_reason']);
    return { isWhole: true, text: choice['text'], thinking: '', calls: [], finish, ...usageOf(body['usage']) };
  },

  readStream(stream) {
    let read = '';
    let finish: Finish | undefined;
    let usage: Pick<Outcome, 'usage'> = {};
    const { chunks, isDone, error } = readEvents(stream);
    for (const chunk of chunks) {
      demand(chunk['object'] === 'text_completion', 'chunk', chunk);
      for (const choice of objects(chunk['choices'])) {
        if (choice['index'] !== 0) continue;
        demand(finish === undefined, 'text behind the finish', chunk);
        read += text(choice['text']);
        if (choice['finish_reason'] !== null) finish = finishOf(choice['finish_reason']);
      }
      if (chunk['usage'] != null) usage = usageOf(chunk['usage']);
    }
    demand(!isDone || finish !== undefined, 'a whole stream without a finish');
    return {
      isWhole: isDone,
      text: read,
      thinking: '',
      calls: [],
      ...(finish !== undefined && { finish }),
      ...usage,
      ...(error !== undefined && { error }),
    };
  },
};
