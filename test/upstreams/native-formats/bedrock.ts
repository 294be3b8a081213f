import { awsFrame as frame } from '../aws-event-stream.js';
import { ModelResponse, JsonBody, object, objects, pieces, text, WireFormat } from './wire-format.js';

/** Bedrock's Converse. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
export const bedrockFormat: WireFormat = {
  streamType: 'application/vnd.amazon.eventstream',

  read(path, body, headers) {
    const match = /^\/model\/([^/]+)\/(converse|converse-stream)$/.exec(path);
    if (match === null) return `no such path ${path}`;
    const authorization = headers['authorization'] ?? '';
    const isSigned =
      authorization.startsWith('AWS4-HMAC-SHA256 Credential=AKIAFAKE/') &&
      authorization.includes('/eu-west-1/bedrock/aws4_request') &&
      headers['x-amz-date'] !== undefined;
    if (!isSigned && authorization !== 'Bearer native-key') return 'The security token is invalid.';
    const messages = objects(body['messages']);
    const content = objects(messages.at(-1)?.['content']);
    const config = object(body['toolConfig']);
    return {
      model: decodeURIComponent(match[1] ?? ''),
      stream: match[2] === 'converse-stream',
      lastUserText: content.map((block) => text(block['text'])).join(''),
      tools: objects(config['tools'])
        .filter((tool) => 'toolSpec' in tool)
        .map((tool) => text(object(tool['toolSpec'])['name'])),
      toolResults: content.flatMap((block) => {
        const { toolUseId, content: result } = object(block['toolResult']);
        if (toolUseId === undefined) return [];
        return [
          {
            id: text(toolUseId),
            content: objects(result)
              .map((part) => text(part['text']))
              .join(''),
          },
        ];
      }),
      schema: object(object(object(body['additionalModelRequestFields'])['output_config'])['format'])['schema'],
      images: content.flatMap((block) => {
        const { format, source } = object(block['image']);
        return source === undefined ? [] : [`${text(format)} ${text(object(source)['bytes']).length}`];
      }),
    };
  },

  whole(response) {
    return {
      output: { message: { role: 'assistant', content: contentOf(response) } },
      stopReason: stopReason(response),
      usage: usageOf(response),
      metrics: { latencyMs: 1 },
    };
  },

  frames(response) {
    const frames = [frame('event', 'messageStart', { role: 'assistant' })];
    contentOf(response).forEach((block, contentBlockIndex) => {
      const { start, deltas } = blockDeltas(block, response);
      if (start !== undefined) frames.push(frame('event', 'contentBlockStart', { contentBlockIndex, start }));
      for (const delta of deltas) frames.push(frame('event', 'contentBlockDelta', { contentBlockIndex, delta }));
      frames.push(frame('event', 'contentBlockStop', { contentBlockIndex }));
    });
    frames.push(
      frame('event', 'messageStop', { stopReason: stopReason(response) }),
      frame('event', 'metadata', { usage: usageOf(response), metrics: { latencyMs: 1 } }),
    );
    return frames;
  },

  error: (_status, message) => ({ message }),
  errorFrame: (message) => frame('exception', 'modelStreamErrorException', { message }),
  models: () => ({}),
};

function stopReason({ toolCalls }: ModelResponse): string {
  return toolCalls.length > 0 ? 'tool_use' : 'end_turn';
}

function contentOf(response: ModelResponse): JsonBody[] {
  return [
    ...(response.reasoning.length > 0
      ? [
          {
            reasoningContent: { reasoningText: { text: response.reasoning.join(''), signature: 'signed-by-the-fake' } },
          },
        ]
      : []),
    ...(response.words.length > 0 ? [{ text: response.words.join('') }] : []),
    ...response.toolCalls.map(({ id, name, input }) => ({ toolUse: { toolUseId: id, name, input } })),
  ];
}

function blockDeltas(block: JsonBody, response: ModelResponse): { start: JsonBody | undefined; deltas: JsonBody[] } {
  if ('toolUse' in block) {
    const { toolUseId, name, input } = object(block['toolUse']);
    return {
      start: { toolUse: { toolUseId, name } },
      deltas: pieces(JSON.stringify(input)).map((piece) => ({ toolUse: { input: piece } })),
    };
  }
  if ('reasoningContent' in block) {
    return {
      start: undefined,
      deltas: [
        ...response.reasoning.map((thought) => ({ reasoningContent: { text: thought } })),
        { reasoningContent: { signature: 'signed-by-the-fake' } },
      ],
    };
  }
  return { start: undefined, deltas: response.words.map((word) => ({ text: word })) };
}

function usageOf({ usage }: ModelResponse): JsonBody {
  return {
    inputTokens: usage.prompt - usage.cached,
    outputTokens: usage.completion,
    totalTokens: usage.prompt + usage.completion,
    cacheReadInputTokens: usage.cached,
  };
}
