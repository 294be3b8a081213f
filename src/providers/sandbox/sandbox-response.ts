import { printExact } from '../../runtime/exact-integers.js';
import { randomBytes } from 'node:crypto';
import type {
  ChatCompletion,
  ChatMessage,
  ChatRequest,
  FinishReason,
  ToolCall,
  Usage,
} from '../../operations/chat/chat-completion.js';
import {
  beyondBound,
  MAX_RESPONSE_CHARACTERS,
  MAX_RESPONSE_WORDS,
  MAX_PROMPT_CHARACTERS,
  MAX_STOP_CHARACTERS,
  MAX_STOPS,
} from './sandbox-bounds.js';
import { instanceOf } from './schema-instance.js';

/** The sandbox's response to a request, before it is shaped as a completion or as chunks. */
export interface SandboxResponse {
  /** A word with the white space before it is a token here. */
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: FinishReason;
  /** Number of choices; all are equal. */
  readonly choices: number;
  readonly usage: Usage;
}

const WIDE_SPACE = /\s/;
/** Characters in which the next word is looked for first. */
const WORD_WINDOW_CHARACTERS = 256;
const LOREM =
  'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua'.split(
    ' ',
  );
/** Words of sandbox/lorem when the request sets no limit. */
const LOREM_WORDS = 50;
/** Most words of sandbox/lorem. */
const MAX_LOREM_WORDS = 100_000;

/**
 * The same request always gets the same response.
 *
 * @throws GatewayError 400 that names the bound, for a request that asks for more than the sandbox makes
 */
export function respondTo(model: string, request: ChatRequest): SandboxResponse {
  const limit = request.max_completion_tokens ?? request.max_tokens ?? undefined;
  const prompt = promptWords(request);
  const choices = request.n ?? 1;
  const called = toolToCall(request);
  if (called !== undefined) {
    const { tool, param } = called;
    const argumentsText = printExact(instanceOf(tool.parameters ?? { type: 'object' }, param));
    const words = countWords(argumentsText).count;
    assertSize(argumentsText, words, choices);
    const toolCalls = [
      { id: newId('call_'), type: 'function' as const, function: { name: tool.name, arguments: argumentsText } },
    ];
    return { text: '', toolCalls, finishReason: 'tool_calls', choices, usage: usageOf(prompt, words * choices) };
  }
  const full = model === 'lorem' ? lorem(limit) : textOfResponse(request);
  const stopped = cutAtStop(full, request.stop ?? []);
  const { count, end } = countWords(stopped.text, limit);
  const isCut = end < stopped.text.length || (model === 'lorem' && count === limit);
  const text = stopped.text.slice(0, end);
  assertSize(text, count, choices);
  return {
    text,
    toolCalls: [],
    finishReason: isCut && !stopped.wasCut ? 'length' : 'stop',
    choices,
    usage: usageOf(prompt, count * choices),
  };
}

/** A plain response is one text, and a stream sends its words as chunks, for each choice: both are bounded. */
function assertSize(text: string, words: number, choices: number): void {
  const param = choices > 1 ? 'n' : 'messages';
  if (text.length * choices > MAX_RESPONSE_CHARACTERS) {
    throw beyondBound(
      `answers with at most ${MAX_RESPONSE_CHARACTERS} characters in all choices, and this would be ${text.length} times ${choices}. Ask for less`,
      param,
    );
  }
  if (words * choices > MAX_RESPONSE_WORDS) {
    throw beyondBound(
      `answers with at most ${MAX_RESPONSE_WORDS} words in all choices, and this would be ${words} times ${choices}. Ask for less`,
      param,
    );
  }
}

function promptWords({ messages }: ChatRequest): number {
  let characters = 0;
  let words = 0;
  for (const message of messages) {
    const text = textOf(message);
    characters += text.length;
    if (characters > MAX_PROMPT_CHARACTERS) {
      throw beyondBound(`takes at most ${MAX_PROMPT_CHARACTERS} characters of messages. Send less`, 'messages');
    }
    words += countWords(text).count;
  }
  return words;
}

/** The completion of a plain response. */
export function toCompletion(model: string, response: SandboxResponse): ChatCompletion {
  const content = response.toolCalls.length > 0 ? null : response.text;
  return {
    id: newId('chatcmpl-'),
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1_000),
    model,
    choices: Array.from({ length: response.choices }, (_, index) => ({
      index,
      message: {
        role: 'assistant',
        content,
        refusal: null,
        ...(response.toolCalls.length > 0 && { tool_calls: [...response.toolCalls] }),
      },
      logprobs: null,
      finish_reason: response.finishReason,
    })),
    usage: response.usage,
  };
}

/** A new random id with a prefix. */
export function newId(prefix: string): string {
  return `${prefix}${randomBytes(12).toString('hex')}`;
}

function usageOf(prompt: number, completion: number): Usage {
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

/** Whether a character is white space, as `\s` of a regular expression sees it. */
function isSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return code >= 0xa0 && WIDE_SPACE.test(String.fromCharCode(code));
}

/**
 * Counts words in one pass without making them.
 *
 * @returns the number of words up to the limit, and where the last of them ends
 */
function countWords(text: string, limit = Infinity): { count: number; end: number } {
  let count = 0;
  let at = 0;
  while (at < text.length && count < limit) {
    while (at < text.length && isSpace(text.charCodeAt(at))) at += 1;
    while (at < text.length && !isSpace(text.charCodeAt(at))) at += 1;
    count += 1;
    // White space at the end is a word of its own.
  }
  return { count, end: at };
}

/** The words of a text one by one; joined they are the text. */
export function* wordsOf(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const { end } = countWords(text.slice(start, start + WORD_WINDOW_CHARACTERS), 1);
    const next = end < WORD_WINDOW_CHARACTERS ? start + end : start + countWords(text.slice(start), 1).end;
    yield text.slice(start, next);
    start = next;
  }
}

/** The tool that the request makes the model call, unless the last message is the result of a tool. */
function toolToCall({
  tools,
  tool_choice: choice,
  messages,
}: ChatRequest): { tool: { name: string; parameters?: unknown }; param: string } | undefined {
  const last = messages.at(-1);
  if (tools == null || choice === 'none' || last?.role === 'tool' || last?.role === 'function') return undefined;
  const functions = tools.flatMap(({ function: declared }, index) =>
    typeof declared?.name === 'string' ? [{ tool: declared, param: `tools[${index}].function.parameters` }] : [],
  );
  if (typeof choice === 'object' && choice !== null) {
    const named = (choice['function'] as { name?: unknown } | undefined)?.name;
    return functions.find(({ tool }) => tool.name === named) ?? functions[0];
  }
  return functions[0];
}

/** The last user message, or the result of a tool that follows it, in the format that was asked for. */
function textOfResponse({ messages, response_format: format }: ChatRequest): string {
  const last = messages.at(-1);
  const source =
    last?.role === 'tool' || last?.role === 'function' ? last : messages.findLast(({ role }) => role === 'user');
  const text = source === undefined ? '' : textOf(source);
  switch (format?.type) {
    case 'json_schema': {
      const { schema } = (format.json_schema ?? {}) as { schema?: unknown };
      return printExact(instanceOf(schema ?? { type: 'object' }, 'response_format.json_schema.schema'));
    }
    case 'json_object':
      return JSON.stringify({ answer: text });
    default:
      return text;
  }
}

/** The text of a message; other parts are named, because the sandbox cannot process them. */
function textOf({ content }: ChatMessage): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => part.text ?? `[${part.type}]`).join(' ');
}

function lorem(limit: number | undefined): string {
  const length = Math.min(limit ?? LOREM_WORDS, MAX_LOREM_WORDS);
  return Array.from({ length }, (_, index) => LOREM[index % LOREM.length]).join(' ');
}

function cutAtStop(text: string, stop: string | readonly string[]): { text: string; wasCut: boolean } {
  const sequences = (typeof stop === 'string' ? [stop] : stop).filter((sequence) => sequence !== '');
  if (sequences.length > MAX_STOPS || sequences.some(({ length }) => length > MAX_STOP_CHARACTERS)) {
    throw beyondBound(
      `takes at most ${MAX_STOPS} stop sequences of ${MAX_STOP_CHARACTERS} characters. Send fewer or shorter ones`,
      'stop',
    );
  }
  let end = text.length;
  for (const sequence of sequences) {
    const position = text.slice(0, end + sequence.length).indexOf(sequence);
    if (position !== -1 && position < end) end = position;
  }
  return { text: text.slice(0, end), wasCut: end < text.length };
}
