import { ModelResponse, JsonBody, object, objects, pieces, sse, text, WireFormat } from './wire-format.js';

/** Cohere's Chat, version 2. https://docs.cohere.com/reference/chat */
export const cohereFormat: WireFormat = {
  streamType: 'text/event-stream',

  read(path, body, headers) {
    if (path !== '/v2/chat') return `no such path ${path}`;
    if (headers['authorization'] !== 'Bearer native-key') return 'invalid api token';
    const messages = objects(body['messages']);
    const last = messages.at(-1) ?? {};
    const lastModelTurn = messages.findLastIndex(({ role }) => role === 'assistant');
    const parts = typeof last['content'] === 'string' ? [{ text: last['content'] }] : objects(last['content']);
    return {
      model: text(body['model']),
      stream: body['stream'] === true,
      lastUserText: last['role'] === 'user' ? parts.map((part) => text(part['text'])).join('') : '',
      tools:
        body['tool_choice'] === 'NONE'
          ? []
          : objects(body['tools']).map((tool) => text(object(tool['function'])['name'])),
      toolResults: messages
        .slice(lastModelTurn + 1)
        .filter(({ role }) => role === 'tool')
        .map((message) => ({ id: text(message['tool_call_id']), content: text(message['content']) })),
      schema: object(body['response_format'])['json_schema'],
      images: parts.flatMap((part) => {
        const { url } = object(object(part)['image_url']);
        return typeof url === 'string' ? [`image ${url.length}`] : [];
      }),
    };
  },

  whole(response) {
    return {
      id: 'cohere-fake',
      generation_id: 'cohere-fake',
      finish_reason: finishReason(response),
      message: {
        role: 'assistant',
        ...(response.words.length > 0 && { content: [{ type: 'text', text: response.words.join('') }] }),
        ...(response.toolCalls.length > 0 && { tool_calls: response.toolCalls.map(toCall) }),
      },
      usage: usageOf(response),
    };
  },

  frames(response) {
    const frames = [sse({ type: 'message-start', id: 'cohere-fake', delta: { message: { role: 'assistant' } } })];
    if (response.words.length > 0) {
      frames.push(
        sse({ type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } }),
      );
      for (const word of response.words) {
        frames.push(sse({ type: 'content-delta', index: 0, delta: { message: { content: { text: word } } } }));
      }
      frames.push(sse({ type: 'content-end', index: 0 }));
    }
    response.toolCalls.forEach((call, index) => {
      const { id, type, function: called } = toCall(call);
      const start = { id, type, function: { name: called.name, arguments: '' } };
      frames.push(sse({ type: 'tool-call-start', index, delta: { message: { tool_calls: start } } }));
      for (const piece of pieces(called.arguments)) {
        const delta = { message: { tool_calls: { function: { arguments: piece } } } };
        frames.push(sse({ type: 'tool-call-delta', index, delta }));
      }
      frames.push(sse({ type: 'tool-call-end', index }));
    });
    frames.push(
      sse({ type: 'message-end', delta: { finish_reason: finishReason(response), usage: usageOf(response) } }),
    );
    return frames;
  },

  error: (_status, message) => ({ message }),
  errorFrame: (message) => sse({ type: 'error', message }),
  models: () => ({ models: [{ name: 'command-fake', endpoints: ['chat'] }] }),
};

function finishReason({ toolCalls }: ModelResponse): string {
  return toolCalls.length > 0 ? 'TOOL_CALL' : 'COMPLETE';
}

function toCall({ id, name, input }: ModelResponse['toolCalls'][number]) {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}

function usageOf({ usage }: ModelResponse): JsonBody {
  const tokens = { input_tokens: usage.prompt, output_tokens: usage.completion };
  return { billed_units: tokens, tokens, cached_tokens: usage.cached };
}
