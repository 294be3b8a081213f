import { SOURCE_FOLDER } from '../../runtime/source-folder.js';
import { Worker } from 'node:worker_threads';
import type { ChatRequest } from './chat-completion.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { CHARACTERS_PER_TOKEN } from '../text-tokens.js';
import { bytesOf } from './prompt-bytes.js';
import type { TokenResult, TokenTask } from './token-worker.js';

/** Milliseconds without a text after which the vocabulary is released. */
const IDLE_MS = 10_000;
/** The tokens of a message beside its text, as OpenAI's own models count them. */
const TOKENS_PER_MESSAGE = 4;
/** Tokens of the start of the response, which is part of the prompt. */
const TOKENS_PER_REPLY = 3;
/** A picture in the detail that is used by default; what it really costs depends on its size. */
const TOKENS_PER_IMAGE = 765;
/** Fields with objects or arrays that are settings, or are counted by themselves. */
const SETTINGS = new Set(['messages', 'metadata', 'stream_options', 'stop', 'logit_bias', 'tool_choice', 'modalities']);

/**
 * Counts by the o200k vocabulary in a thread of its own, started at first need and ended when it is idle: to load the vocabulary
 * takes a third of a second and 30 MB, for which no request should wait.
 */
class TokenCounter {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, { length: number; resolve: (tokens: number) => void }>();
  private asked = 0;
  private timer: NodeJS.Timeout | undefined;

  count(texts: readonly string[]): Promise<number> {
    if (texts.every((text) => text === '')) return Promise.resolve(0);
    return new Promise((resolve) => {
      clearTimeout(this.timer);
      const question: TokenTask = { id: (this.asked += 1), texts };
      this.waiting.set(question.id, { length: lengthOf(texts), resolve });
      this.worker ??= this.start();
      // Only while something is counted does it keep the process alive.
      this.worker.ref();
      this.worker.postMessage(question);
    });
  }

  private start(): Worker {
    const worker = new Worker(new URL('operations/chat/token-worker.js', SOURCE_FOLDER));
    worker.on('message', ({ id, tokens }: TokenResult) => {
      this.waiting.get(id)?.resolve(tokens);
      this.waiting.delete(id);
      if (this.waiting.size > 0) return;
      worker.unref();
      this.timer = setTimeout(() => this.end(worker), IDLE_MS).unref();
    });
    // A guess is better than no record.
    worker.on('error', () => this.end(worker));
    return worker;
  }

  private end(worker: Worker): void {
    if (this.worker === worker) this.worker = undefined;
    for (const { length, resolve } of this.waiting.values()) resolve(Math.ceil(length / CHARACTERS_PER_TOKEN));
    this.waiting.clear();
    void worker.terminate();
  }
}

const counter = new TokenCounter();

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((length, text) => length + text.length, 0);
}

/** Tokens of texts that stand each by itself, estimated. */
export function countTokens(texts: readonly string[]): Promise<number> {
  return counter.count(texts);
}

/** Tokens of everything that a request gives a model to read, estimated. It takes any shape and never throws. */
export async function countPromptTokens(request: ChatRequest): Promise<number> {
  const pieces: string[] = [];
  let images = 0;
  const messages: readonly unknown[] = Array.isArray(request.messages) ? request.messages : [];
  for (const message of messages) if (isObject(message)) images += collect(message, pieces);
  for (const name in request) {
    const value = request[name];
    if (SETTINGS.has(name) || typeof value !== 'object' || value === null) continue;
    pieces.push(printed(value));
  }
  return (
    (await countTokens(pieces)) + messages.length * TOKENS_PER_MESSAGE + TOKENS_PER_REPLY + images * TOKENS_PER_IMAGE
  );
}

/** @returns how many pictures there are beside the text */
function collect({ content, tool_calls: toolCalls, function_call: older }: JsonObject, pieces: string[]): number {
  let images = 0;
  if (typeof content === 'string') pieces.push(content);
  else if (Array.isArray(content)) {
    for (const part of content as readonly unknown[]) {
      if (!isObject(part)) continue;
      if (typeof part['text'] === 'string') pieces.push(part['text']);
      else if (part['type'] === 'image_url') images += 1;
      else pieces.push(printed(part));
    }
  }
  if (older != null) called(older, pieces);
  if (Array.isArray(toolCalls)) {
    for (const call of toolCalls as readonly unknown[]) {
      called(isObject(call) ? (call['function'] ?? call['custom'] ?? call) : call, pieces);
    }
  }
  return images;
}

/** A call of a tool: its name, and its arguments in whichever form they are. */
function called(call: unknown, pieces: string[]): void {
  if (!isObject(call)) return;
  for (const name of ['name', 'arguments', 'input']) {
    const value = call[name];
    if (typeof value === 'string') pieces.push(value);
    else if (value != null) pieces.push(printed(value));
  }
}

/** JSON; of what is nested too deeply to be printed, as many characters as it has. */
function printed(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return 'x '.repeat(bytesOf(value) / 2);
  }
}
