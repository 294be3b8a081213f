import { randomBytes } from 'node:crypto';
import type {
  ChatCompletion,
  ChatMessage,
  ChatRequest,
  FinishReason,
  ToolCall,
  Usage,
} from '../../../chat/chat-completion.js';
import { instanceOf } from './schema-instance.js';

/** What the sandbox answers to a request, before it is shaped as a completion or as chunks. */
export interface SandboxAnswer {
  /** Words with the white space before them; joined they are the text. A word is a token here. */
  readonly words: readonly string[];
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: FinishReason;
  /** How many choices there are, all alike. */
  readonly choices: number;
  readonly usage: Usage;
}

const LOREM =
  'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua'.split(
    ' ',
  );
/** Words of sandbox/lorem when the request sets no limit. */
const LOREM_LENGTH = 50;
/** More words than anybody needs of lorem ipsum. */
const LOREM_LIMIT = 100_000;
const WORD = /\s*\S+|\s+$/g;

/** The same request always gives the same answer. */
export function answerTo(model: string, request: ChatRequest): SandboxAnswer {
  const limit = request.max_completion_tokens ?? request.max_tokens ?? undefined;
  const prompt = request.messages.reduce((sum, message) => sum + wordsOf(textOf(message)).length, 0);
  const choices = request.n ?? 1;
  const tool = toolToCall(request);
  if (tool !== undefined) {
    const argumentsText = JSON.stringify(instanceOf(tool.parameters ?? { type: 'object' }));
    const toolCalls = [
      { id: newId('call_'), type: 'function' as const, function: { name: tool.name, arguments: argumentsText } },
    ];
    return {
      words: [],
      toolCalls,
      finishReason: 'tool_calls',
      choices,
      usage: usageOf(prompt, wordsOf(argumentsText).length * choices),
    };
  }
  const full = model === 'lorem' ? lorem(limit) : textAnswer(request);
  const stopped = cutAtStop(full, request.stop ?? []);
  const words = wordsOf(stopped.text);
  const isCut = limit !== undefined && (words.length > limit || (model === 'lorem' && words.length === limit));
  const kept = isCut ? words.slice(0, limit) : words;
  return {
    words: kept,
    toolCalls: [],
    finishReason: isCut && !stopped.wasCut ? 'length' : 'stop',
    choices,
    usage: usageOf(prompt, kept.length * choices),
  };
}

export function toCompletion(model: string, answer: SandboxAnswer): ChatCompletion {
  const content = answer.toolCalls.length > 0 ? null : answer.words.join('');
  return {
    id: newId('chatcmpl-'),
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1_000),
    model,
    choices: Array.from({ length: answer.choices }, (_, index) => ({
      index,
      message: {
        role: 'assistant',
        content,
        refusal: null,
        ...(answer.toolCalls.length > 0 && { tool_calls: [...answer.toolCalls] }),
      },
      logprobs: null,
      finish_reason: answer.finishReason,
    })),
    usage: answer.usage,
  };
}

export function newId(prefix: string): string {
  return `${prefix}${randomBytes(12).toString('hex')}`;
}

function usageOf(prompt: number, completion: number): Usage {
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

export function wordsOf(text: string): string[] {
  return text.match(WORD) ?? [];
}

/** The tool that the request makes the model call, unless a tool has just answered. */
function toolToCall({
  tools,
  tool_choice: choice,
  messages,
}: ChatRequest): { name: string; parameters?: unknown } | undefined {
  const last = messages.at(-1);
  if (tools == null || choice === 'none' || last?.role === 'tool' || last?.role === 'function') return undefined;
  const functions = tools.flatMap(({ function: declared }) => (typeof declared?.name === 'string' ? [declared] : []));
  if (typeof choice === 'object' && choice !== null) {
    const named = (choice['function'] as { name?: unknown } | undefined)?.name;
    return functions.find(({ name }) => name === named) ?? functions[0];
  }
  return functions[0];
}

/** The last user message, or what a tool has just answered, in the format that was asked for. */
function textAnswer({ messages, response_format: format }: ChatRequest): string {
  const last = messages.at(-1);
  const source =
    last?.role === 'tool' || last?.role === 'function' ? last : messages.findLast(({ role }) => role === 'user');
  const text = source === undefined ? '' : textOf(source);
  switch (format?.type) {
    case 'json_schema': {
      const { schema } = (format.json_schema ?? {}) as { schema?: unknown };
      return JSON.stringify(instanceOf(schema ?? { type: 'object' }));
    }
    case 'json_object':
      return JSON.stringify({ answer: text });
    default:
      return text;
  }
}

/** The text of a message; other parts are named, because the sandbox cannot see or hear. */
function textOf({ content }: ChatMessage): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => part.text ?? `[${part.type}]`).join(' ');
}

function lorem(limit: number | undefined): string {
  const length = Math.min(limit ?? LOREM_LENGTH, LOREM_LIMIT);
  return Array.from({ length }, (_, index) => LOREM[index % LOREM.length]).join(' ');
}

function cutAtStop(text: string, stop: string | readonly string[]): { text: string; wasCut: boolean } {
  const ends = (typeof stop === 'string' ? [stop] : stop)
    .filter((sequence) => sequence !== '')
    .map((sequence) => text.indexOf(sequence))
    .filter((position) => position !== -1);
  return ends.length === 0 ? { text, wasCut: false } : { text: text.slice(0, Math.min(...ends)), wasCut: true };
}
