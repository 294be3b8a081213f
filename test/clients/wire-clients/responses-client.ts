import { isDeepStrictEqual } from 'node:util';
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

const LAST = ['response.completed', 'response.incomplete', 'response.failed'];

function usageOf(value: unknown): Pick<Outcome, 'usage'> {
  if (typeof value !== 'object' || value === null) return {};
  const usage = object(value);
  return {
    usage: {
      prompt: count(usage['input_tokens']),
      completion: count(usage['output_tokens']),
      cached: count(object(usage['input_tokens_details'])['cached_tokens']),
    },
  };
}

function finishOf(response: JsonBody, hasCalls: boolean): Finish {
  if (response['status'] === 'incomplete') {
    const { reason } = object(response['incomplete_details']);
    demand(reason === 'max_output_tokens' || reason === 'content_filter', 'incomplete_details', response);
    return reason === 'content_filter' ? 'content_filter' : 'length';
  }
  demand(response['status'] === 'completed', 'status', response['status']);
  return hasCalls ? 'tool_calls' : 'stop';
}

function readResponse(response: JsonBody): Outcome {
  const output = objects(response['output']);
  const parts = output.filter(({ type }) => type === 'message').flatMap(({ content }) => objects(content));
  const calls = output
    .filter(({ type }) => type === 'function_call')
    .map(({ name, arguments: input }) => ({ name: text(name), input: text(input) }));
  const failed = response['status'] === 'failed';
  return {
    isWhole: !failed,
    text: parts.map((part) => text(part['text']) + text(part['refusal'])).join(''),
    thinking: output
      .filter(({ type }) => type === 'reasoning')
      .flatMap(({ summary, content }) => [...objects(summary), ...objects(content)].map((part) => text(part['text'])))
      .join(''),
    calls,
    ...(failed ? { error: response } : { finish: finishOf(response, calls.length > 0) }),
    ...usageOf(response['usage']),
  };
}

/** OpenAI's Responses. */
export const RESPONSES_CLIENT: WireClient = {
  name: 'responses',
  native: ['openai-responses'],

  ask: ({ model, prompt, isStream, hasTools = false }) => ({
    path: '/v1/responses',
    body: {
      model,
      input: prompt,
      max_output_tokens: 1_000,
      store: false,
      stream: isStream,
      ...(hasTools && {
        tools: TOOL_NAMES.map((name) => ({ type: 'function', name, parameters: TOOL_PARAMETERS, strict: false })),
      }),
    },
  }),

  readWhole(body) {
    if (body['object'] !== 'response') return { isWhole: false, text: '', thinking: '', calls: [], error: body };
    return readResponse(body);
  },

  readStream(stream, isStrict) {
    const reader = new EventReader(isStrict);
    for (const { event, data } of eventsOf(stream)) if (data !== '[DONE]') reader.read(event, data);
    return reader.outcome();
  },
};

/** Holds the events of a stream to the order in which OpenAI sends them. */
class EventReader {
  private sequence = 0;
  private readonly items: (JsonBody | null)[] = [];
  /** Texts by the place of their part, from deltas and from `done`. */
  private readonly texts = new Map<string, string>();
  private readonly done = new Set<string>();
  private last: JsonBody | undefined;
  private error: JsonBody | undefined;

  constructor(private readonly isStrict: boolean) {}

  read(event: string, data: string): void {
    let body: JsonBody;
    try {
      body = object(JSON.parse(data));
    } catch (error) {
      if (this.isStrict) throw error;
      return;
    }
    const type = text(body['type']) || event;
    if (this.isStrict) this.check(event, type, body);
    this.sequence += 1;
    if (LAST.includes(type)) this.last = object(body['response']);
    else if (type === 'error') this.error = body;
  }

  outcome(): Outcome {
    const { last, error } = this;
    if (last !== undefined) {
      if (this.isStrict && last['status'] !== 'failed') {
        demand(isDeepStrictEqual(last['output'], this.items), 'the output is not that of the events', [
          last['output'],
          this.items,
        ]);
        demand(this.done.size === this.texts.size, 'a text without its end');
      }
      return readResponse(last);
    }
    return { isWhole: false, text: '', thinking: '', calls: [], ...(error !== undefined && { error }) };
  }

  private check(event: string, type: string, body: JsonBody): void {
    demand(event === type, 'the name of an event', { event, type });
    demand(this.last === undefined && this.error === undefined, 'an event behind the last', body);
    demand(body['sequence_number'] === this.sequence, 'sequence_number', body);
    const index = count(body['output_index']);
    const first = ['response.created', 'response.in_progress'][this.sequence];
    if (first !== undefined) {
      demand(type === first || type === 'response.failed', `${first} is missing`, type);
    } else if (type === 'response.output_item.added') {
      demand(index === this.items.length, 'output_index', body);
      this.items.push(null);
      const item = object(body['item']);
      for (const list of ['content', 'summary']) {
        if (list in item) demand(isDeepStrictEqual(item[list], []), `${list} of a new item`, item);
      }
    } else if (type === 'response.output_item.done') {
      demand(index in this.items && this.items[index] === null, 'the end of no item', body);
      this.items[index] = object(body['item']);
    } else if (/\.delta$/.test(type)) {
      demand(this.items[index] === null, 'a delta of no item', body);
      const key = placeOf(type.replace(/\.delta$/, ''), body);
      demand(!this.done.has(key), 'a delta behind the end of its text', body);
      this.texts.set(key, (this.texts.get(key) ?? '') + text(body['delta']));
    } else if (/_(?:text|arguments|input)\.done$|refusal\.done$/.test(type)) {
      const key = placeOf(type.replace(/\.done$/, ''), body);
      const whole = text(body['text'] ?? body['arguments'] ?? body['input'] ?? body['refusal']);
      demand((this.texts.get(key) ?? '') === whole, 'the text is not that of its deltas', [body, this.texts.get(key)]);
      this.texts.set(key, whole);
      this.done.add(key);
    }
  }
}

function placeOf(kind: string, body: JsonBody): string {
  return [kind, body['output_index'], body['content_index'] ?? body['summary_index'] ?? ''].join(' ');
}
