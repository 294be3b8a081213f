import type { ChatMessage, ChatRequest } from '../../chat/chat-completion.js';

type Encode = (text: string) => number[];

/** Characters that are really counted; of a longer text the rest counts at the same rate, so that no text blocks the loop. */
const COUNTED = 16_384;
/** What a message costs beside its text, as OpenAI's own models count it. */
const PER_MESSAGE = 4;
/** A picture in the detail that is used by default; what it really costs depends on its size. */
const PER_IMAGE = 765;

let encode: Promise<Encode> | undefined;

/** Tokens of a text by the o200k vocabulary, which is loaded at first need (about 60 ms and 30 MB). */
export async function countTokens(text: string): Promise<number> {
  if (text === '') return 0;
  encode ??= import('gpt-tokenizer/encoding/o200k_base').then((module) => module.encode);
  const counted = text.length <= COUNTED ? text : text.slice(0, COUNTED);
  return Math.ceil(((await encode)(counted).length * text.length) / counted.length);
}

/** Tokens of a request's messages and tools, estimated. */
export async function countPromptTokens({ messages, tools }: Pick<ChatRequest, 'messages' | 'tools'>): Promise<number> {
  const pieces: string[] = [];
  let images = 0;
  for (const message of messages) images += collect(message, pieces);
  if (tools != null) pieces.push(JSON.stringify(tools));
  return (await countTokens(pieces.join('\n'))) + messages.length * PER_MESSAGE + images * PER_IMAGE;
}

/** @returns how many pictures there are beside the text */
function collect({ content, tool_calls: toolCalls }: ChatMessage, pieces: string[]): number {
  let images = 0;
  if (typeof content === 'string') pieces.push(content);
  else if (Array.isArray(content)) {
    for (const part of content) {
      if (typeof part.text === 'string') pieces.push(part.text);
      else if (part.type === 'image_url') images += 1;
    }
  }
  for (const { function: called } of toolCalls ?? []) pieces.push(called.name, called.arguments);
  return images;
}
