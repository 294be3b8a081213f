import { ModelResponse, JsonBody, object, objects, pieces, sse, text, WireFormat } from './wire-format.js';

/** Anthropic's Messages API. https://docs.anthropic.com/en/api/messages */
export const anthropicFormat: WireFormat = {
  streamType: 'text/event-stream; charset=utf-8',

  read(path, body, headers) {
    if (!path.endsWith('/v1/messages')) return 'no such path';
    if (headers['x-api-key'] !== 'native-key') return 'x-api-key is wrong';
    if (headers['anthropic-version'] === undefined) return 'anthropic-version is missing';
    if (typeof body['max_tokens'] !== 'number') return 'max_tokens: Field required';
    const messages = objects(body['messages']);
    const fault = faultOf(messages);
    if (fault !== undefined) return fault;
    const last = blocksOf(messages.at(-1));
    const choice = text(object(body['tool_choice'])['type']);
    const tools = objects(body['tools']).map(({ name }) => text(name));
    return {
      model: text(body['model']),
      stream: body['stream'] === true,
      lastUserText: last.map((block) => text(block['text'])).join(''),
      tools: choice === 'none' ? [] : choice === 'tool' ? [text(object(body['tool_choice'])['name'])] : tools,
      toolResults: last
        .filter(({ type }) => type === 'tool_result')
        .map((block) => ({ id: text(block['tool_use_id']), content: contentText(block['content']) })),
      schema: object(object(body['output_config'])['format'])['schema'],
      images: last.filter(({ type }) => type === 'image' || type === 'document').map(describeMedia),
    };
  },

  whole(response, asked) {
    return {
      id: 'msg_fake',
      type: 'message',
      role: 'assistant',
      model: `${asked.model}-20260101`,
      content: contentOf(response),
      stop_reason: response.toolCalls.length > 0 ? 'tool_use' : 'end_turn',
      stop_sequence: null,
      usage: usageOf(response),
    };
  },

  frames(response, asked) {
    const frames = [
      event('message_start', {
        message: {
          id: 'msg_fake',
          type: 'message',
          role: 'assistant',
          model: `${asked.model}-20260101`,
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { ...usageOf(response), output_tokens: 1 },
        },
      }),
      event('ping', {}),
    ];
    contentOf(response).forEach((block, index) => {
      const { start, deltas } = blockDeltas(block, response);
      frames.push(event('content_block_start', { index, content_block: start }));
      for (const delta of deltas) frames.push(event('content_block_delta', { index, delta }));
      frames.push(event('content_block_stop', { index }));
    });
    frames.push(
      event('message_delta', {
        delta: { stop_reason: response.toolCalls.length > 0 ? 'tool_use' : 'end_turn', stop_sequence: null },
        usage: { output_tokens: response.usage.completion },
      }),
      event('message_stop', {}),
    );
    return frames;
  },

  error: (status, message) => ({ type: 'error', error: { type: errorType(status), message } }),
  errorFrame: (message) => event('error', { error: { type: 'overloaded_error', message } }),
  models: () => ({
    data: [{ type: 'model', id: 'claude-fake', display_name: 'Claude Fake', created_at: '2026-01-01T00:00:00Z' }],
    has_more: false,
  }),
};

function event(type: string, data: object): string {
  return sse({ type, ...data }, type);
}

function blocksOf(message: JsonBody | undefined): JsonBody[] {
  const content = message?.['content'];
  return typeof content === 'string' ? [{ type: 'text', text: content }] : objects(content);
}

function contentText(content: unknown): string {
  return typeof content === 'string'
    ? content
    : objects(content)
        .map((part) => text(part['text']))
        .join('');
}

/** What the real API refuses about the order of messages. */
function faultOf(messages: readonly JsonBody[]): string | undefined {
  let open: string[] = [];
  for (const [index, message] of messages.entries()) {
    const blocks = blocksOf(message);
    if (blocks.some((block) => block['type'] === 'text' && text(block['text']) === '')) {
      return `messages.${index}: text content blocks must be non-empty`;
    }
    if (message['role'] === 'assistant') {
      open = blocks.filter(({ type }) => type === 'tool_use').map(({ id }) => text(id));
      continue;
    }
    const returned = blocks.filter(({ type }) => type === 'tool_result').map((block) => text(block['tool_use_id']));
    if (returned.some((id) => !open.includes(id))) return `messages.${index}: unexpected tool_use_id`;
    if (open.some((id) => !returned.includes(id))) return `messages.${index}: tool_use ids without tool_result blocks`;
    open = [];
  }
  return messages.at(0)?.['role'] === 'user' ? undefined : 'messages: first message must use the "user" role';
}

function describeMedia({ type, source }: JsonBody): string {
  const { type: kind, media_type: mediaType, data, url } = object(source);
  return kind === 'url' ? `${text(type)} ${text(url)}` : `${text(mediaType)} ${text(data).length}`;
}

function contentOf(response: ModelResponse): JsonBody[] {
  return [
    ...(response.reasoning.length > 0
      ? [{ type: 'thinking', thinking: response.reasoning.join(''), signature: 'signed-by-the-fake' }]
      : []),
    ...(response.words.length > 0 ? [{ type: 'text', text: response.words.join('') }] : []),
    ...response.toolCalls.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input })),
  ];
}

function blockDeltas(block: JsonBody, response: ModelResponse): { start: JsonBody; deltas: JsonBody[] } {
  switch (block['type']) {
    case 'thinking':
      return {
        start: { type: 'thinking', thinking: '', signature: '' },
        deltas: [
          ...response.reasoning.map((thinking) => ({ type: 'thinking_delta', thinking })),
          { type: 'signature_delta', signature: 'signed-by-the-fake' },
        ],
      };
    case 'tool_use':
      return {
        start: { ...block, input: {} },
        deltas: pieces(JSON.stringify(block['input'])).map((partial_json) => ({
          type: 'input_json_delta',
          partial_json,
        })),
      };
    default:
      return {
        start: { type: 'text', text: '' },
        deltas: response.words.map((word) => ({ type: 'text_delta', text: word })),
      };
  }
}

/** Anthropic counts cached tokens apart from the others. */
function usageOf({ usage }: ModelResponse): JsonBody {
  return {
    input_tokens: usage.prompt - usage.cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cached,
    output_tokens: usage.completion,
  };
}

function errorType(status: number): string {
  const types: Readonly<Record<number, string>> = {
    400: 'invalid_request_error',
    401: 'authentication_error',
    403: 'permission_error',
    404: 'not_found_error',
    429: 'rate_limit_error',
    529: 'overloaded_error',
  };
  return types[status] ?? 'api_error';
}
