import { anthropicFormat } from '../native-formats/anthropic.js';
import { googleFormat } from '../native-formats/google.js';
import { openAiFormat } from '../native-formats/openai.js';
import {
  object,
  objects,
  text,
  type Asked,
  type JsonBody,
  type ModelResponse,
  type WireFormat,
} from '../native-formats/wire-format.js';

export type ProviderForm = 'chat' | 'messages' | 'gemini';

/** One event of a stream. */
export interface Frame {
  readonly data: string;
  /** Output tokens up to here, this event included. */
  readonly tokens: number;
}

interface Form {
  readonly format: WireFormat;
  readonly basePath: string;
  /** The text of a last turn of the model; undefined where the last turn is the user's. */
  prefillOf(body: JsonBody): string | undefined;
  frames(response: ModelResponse, asked: Asked): Frame[];
  /** How the format says that a response has ended: by itself, by a filter, by the limit of tokens. */
  readonly reasons: Readonly<Record<'stop' | 'content filter' | 'length', string>>;
  readonly comment: string;
}

/** The formats of the three providers. */
export const FORMS: Readonly<Record<ProviderForm, Form>> = {
  chat: {
    format: openAiFormat,
    basePath: '/v1',
    prefillOf: ({ messages }) => lastTurn(objects(messages), 'assistant', 'content'),
    frames: (response, asked) =>
      counted(openAiFormat.frames(response, asked), /"delta":\{"(?:content":"[^"]|tool_calls)/),
    reasons: {
      stop: '"finish_reason":"stop"',
      'content filter': '"finish_reason":"content_filter"',
      length: '"finish_reason":"length"',
    },
    comment: ': ping\n\n',
  },
  messages: {
    format: anthropicFormat,
    basePath: '/v1',
    prefillOf: ({ messages }) => lastTurn(objects(messages), 'assistant', 'content'),
    frames: (response, asked) =>
      counted(anthropicFormat.frames(response, asked), /"type":"(?:text_delta|input_json_delta)"/),
    reasons: {
      stop: '"stop_reason":"end_turn"',
      'content filter': '"stop_reason":"refusal"',
      length: '"stop_reason":"max_tokens"',
    },
    comment: 'event: ping\ndata: {"type":"ping"}\n\n',
  },
  gemini: {
    format: googleFormat,
    basePath: '/v1beta',
    prefillOf: ({ contents }) => lastTurn(objects(contents), 'model', 'parts'),
    frames: geminiFrames,
    reasons: {
      stop: '"finishReason":"STOP"',
      'content filter': '"finishReason":"SAFETY"',
      length: '"finishReason":"MAX_TOKENS"',
    },
    comment: ': ping\n\n',
  },
};

function lastTurn(turns: readonly JsonBody[], role: string, member: string): string | undefined {
  const last = turns.at(-1);
  if (last?.['role'] !== role) return undefined;
  const content = last[member];
  return typeof content === 'string'
    ? content
    : objects(content)
        .map((part) => text(part['text']))
        .join('');
}

/** @param content what an event with a token matches */
function counted(frames: readonly (string | Buffer)[], content: RegExp): Frame[] {
  let tokens = 0;
  return frames.map((frame) => {
    const data = frame.toString();
    if (content.test(data)) tokens += 1;
    return { data, tokens };
  });
}

/** Gemini's events report the tokens so far. */
function geminiFrames(response: ModelResponse, asked: Asked): Frame[] {
  const whole = googleFormat.frames(response, asked);
  return whole.map((frame, index) => {
    const isLast = index === whole.length - 1;
    const tokens = isLast ? response.usage.completion : Math.min(index + 1, response.usage.completion);
    const event = object(JSON.parse(frame.toString().slice('data: '.length)));
    const usageMetadata = {
      ...object(event['usageMetadata']),
      candidatesTokenCount: tokens,
      totalTokenCount: response.usage.prompt + tokens,
    };
    return { data: `data: ${JSON.stringify({ ...event, usageMetadata })}\n\n`, tokens };
  });
}
