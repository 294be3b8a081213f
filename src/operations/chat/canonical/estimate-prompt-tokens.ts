import { countTokens } from '../count-tokens.js';
import type { CanonicalBlock, MediaSource } from './blocks.js';
import type { CanonicalRequest } from './canonical-request.js';

/** Tokenizers differ; Anthropic's newest makes about this many tokens of one of the vocabulary that is counted by. */
const VOCABULARY_FACTOR = 1.4;
/** The tokens of a message and of a request beside their text. */
const TOKENS_PER_MESSAGE = 8;
const TOKENS_PER_REQUEST = 16;
/** The tokens that providers add to a prompt with tools, and for each tool. */
const TOKENS_OF_TOOLS = 600;
const TOKENS_PER_TOOL = 32;
/** The most that an image costs. */
const TOKENS_PER_IMAGE = 4_784;
/** The most that a page of a document costs, text and image, and the least bytes that a page has. */
const TOKENS_PER_PAGE = 4_500;
const BYTES_PER_PAGE = 5_000;
/** Tokens assumed for media whose size the request does not state. */
const TOKENS_PER_REFERENCE = 50_000;

/**
 * Tokens of everything that a request gives a model to read, of every kind of block. Errs high: clients shorten a conversation by it.
 */
export async function estimatePromptTokens(request: CanonicalRequest): Promise<number> {
  const { messages, tools = [], responseFormat } = request;
  const texts: string[] = [];
  let media = 0;
  for (const { blocks } of messages) for (const block of blocks) media += collect(block, texts);
  for (const tool of tools) texts.push(JSON.stringify(tool));
  if (responseFormat?.type === 'json_schema') texts.push(JSON.stringify(responseFormat));
  const counted = Math.ceil((await countTokens(texts)) * VOCABULARY_FACTOR);
  const ofTools = tools.length === 0 ? 0 : TOKENS_OF_TOOLS + tools.length * TOKENS_PER_TOOL;
  return counted + media + ofTools + messages.length * TOKENS_PER_MESSAGE + TOKENS_PER_REQUEST;
}

/** @returns tokens of what is no text */
function collect(block: CanonicalBlock, texts: string[]): number {
  switch (block.type) {
    case 'text':
    case 'refusal':
    case 'thinking':
      texts.push(block.text);
      return 0;
    case 'tool_call':
      texts.push(block.name, block.input);
      return TOKENS_PER_MESSAGE;
    case 'tool_result':
      return block.content.reduce((sum, inner) => sum + collect(inner, texts), TOKENS_PER_MESSAGE);
    case 'image':
      return TOKENS_PER_IMAGE;
    case 'audio':
    case 'video':
    case 'file':
      return mediaTokens(block.source, texts);
    case 'opaque':
      texts.push(JSON.stringify(block.value));
      return 0;
  }
}

function mediaTokens(source: MediaSource, texts: string[]): number {
  switch (source.kind) {
    case 'text':
      texts.push(source.text);
      return 0;
    case 'base64': {
      if (source.mediaType.startsWith('text/')) {
        texts.push(Buffer.from(source.data, 'base64').toString('utf8'));
        return 0;
      }
      return Math.ceil((source.data.length * 0.75) / BYTES_PER_PAGE) * TOKENS_PER_PAGE;
    }
    default:
      return TOKENS_PER_REFERENCE;
  }
}
