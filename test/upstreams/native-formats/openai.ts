import { ModelResponse, Asked, JsonBody, object, objects, pieces, sse, text, WireFormat } from './wire-format.js';

/** OpenAI's chat completions, which several providers speak with small differences of their own. */
export const openAiFormat = createFormat({ wholeToolCalls: false, usageOf: (usage) => ({ usage }) });
/** xAI sends a tool call in one piece. */
export const xaiFormat = createFormat({ wholeToolCalls: true, usageOf: (usage) => ({ usage }) });
/** Groq has usage in a place of its own. */
export const groqFormat = createFormat({
  wholeToolCalls: false,
  usageOf: (usage) => ({ x_groq: { id: 'req_fake', usage } }),
});

interface Differences {
  readonly wholeToolCalls: boolean;
  /** Where the last chunk has its usage. */
  usageOf(usage: JsonBody): JsonBody;
}

function createFormat(differences: Differences): WireFormat {
  return {
    streamType: 'text/event-stream',

    read(path, body, headers) {
      if (!/\/chat\/completions(?:\?.*)?$/.test(path)) return `no such path ${path}`;
      if (headers['authorization'] !== 'Bearer native-key' && headers['api-key'] !== 'native-key') return 'wrong key';
      const messages = objects(body['messages']);
      const last = messages.at(-1) ?? {};
      const lastModelTurn = messages.findLastIndex(({ role }) => role === 'assistant');
      const parts = typeof last['content'] === 'string' ? [{ text: last['content'] }] : objects(last['content']);
      return {
        model: text(body['model']),
        stream: body['stream'] === true,
        lastUserText: parts.map((part) => text(part['text'])).join(''),
        tools:
          body['tool_choice'] === 'none'
            ? []
            : objects(body['tools']).map((tool) => text(object(tool['function'])['name'])),
        toolResults: messages
          .slice(lastModelTurn + 1)
          .filter(({ role }) => role === 'tool')
          .map((message) => ({ id: text(message['tool_call_id']), content: contentText(message['content']) })),
        schema: object(body['response_format'])['json_schema'],
        images: [],
      };
    },

    whole(response, asked) {
      const { words, reasoning, toolCalls } = response;
      const message = {
        role: 'assistant',
        content: words.length > 0 ? words.join('') : null,
        ...(reasoning.length > 0 && { reasoning_content: reasoning.join('') }),
        ...(toolCalls.length > 0 && { tool_calls: toolCalls.map(toCall) }),
      };
      return {
        ...envelope('chat.completion', asked),
        choices: [{ index: 0, message, finish_reason: finishReason(response) }],
        usage: usageOf(response),
      };
    },

    frames(response, asked) {
      const head = envelope('chat.completion.chunk', asked);
      const frame = (delta: JsonBody, reason: string | null = null): string =>
        sse({ ...head, choices: [{ index: 0, delta, finish_reason: reason }] });
      return [
        frame({ role: 'assistant', content: '' }),
        ...response.reasoning.map((thought) => frame({ reasoning_content: thought })),
        ...response.words.map((word) => frame({ content: word })),
        ...response.toolCalls.flatMap((call, index) => {
          const { function: called, ...rest } = toCall(call);
          if (differences.wholeToolCalls) return [frame({ tool_calls: [{ index, ...rest, function: called }] })];
          const start = { index, ...rest, function: { name: called.name, arguments: '' } };
          const deltas = pieces(called.arguments).map((piece) => ({ index, function: { arguments: piece } }));
          return [start, ...deltas].map((delta) => frame({ tool_calls: [delta] }));
        }),
        sse({
          ...head,
          choices: [{ index: 0, delta: {}, finish_reason: finishReason(response) }],
          ...differences.usageOf(usageOf(response)),
        }),
        'data: [DONE]\n\n',
      ];
    },

    error: (status, message) => ({ error: { message, type: 'error', param: null, code: String(status) } }),
    errorFrame: (message) => sse({ error: { message, type: 'server_error' } }),
    models: () => ({ object: 'list', data: [{ id: 'model-fake', object: 'model', owned_by: 'fake' }] }),
  };
}

function envelope(kind: string, { model }: Asked): JsonBody {
  return { id: 'chatcmpl-fake', object: kind, created: 1_700_000_000, model };
}

function finishReason({ toolCalls }: ModelResponse): string {
  return toolCalls.length > 0 ? 'tool_calls' : 'stop';
}

function toCall({ id, name, input }: ModelResponse['toolCalls'][number]) {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}

function usageOf({ usage }: ModelResponse): JsonBody {
  return {
    prompt_tokens: usage.prompt,
    completion_tokens: usage.completion,
    total_tokens: usage.prompt + usage.completion,
    prompt_tokens_details: { cached_tokens: usage.cached },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}

function contentText(content: unknown): string {
  return typeof content === 'string'
    ? content
    : objects(content)
        .map((part) => text(part['text']))
        .join('');
}
