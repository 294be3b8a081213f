import type { JsonObject } from '../../../runtime/json-value.js';
import type { WireName } from './wire-name.js';

/** Members of a wire format that no other has. Only the same format writes them back. */
export type Extras = { readonly [Wire in WireName]?: Readonly<JsonObject> };

/** Where a provider may cut a prompt to reuse what it has cached: behind the block that carries the hint. */
export interface CacheHint {
  /** Time to live, such as `5m` or `1h`; undefined leaves it to the provider. */
  readonly ttl?: string;
}

/**
 * Proof that a provider made a piece of thinking, or a tool call. Only the format that made it can read it: to any other, the block
 * goes without it, or not at all.
 */
export interface Signature {
  readonly wire: WireName;
  readonly value: string;
}

interface Block {
  readonly cache?: CacheHint;
  readonly extras?: Extras;
}

/** Bytes of an image, of sound, video or a document, or where they are. */
export type MediaSource =
  | { readonly kind: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly kind: 'url'; readonly url: string; readonly mediaType?: string }
  /** A file that was uploaded to the provider before. */
  | { readonly kind: 'file'; readonly id: string; readonly mediaType?: string }
  /** A document of plain text. */
  | { readonly kind: 'text'; readonly mediaType: string; readonly text: string };

/** A text. */
export interface TextBlock extends Block {
  readonly type: 'text';
  readonly text: string;
  /** Gemini signs text as well. */
  readonly signature?: Signature;
}

/** Text by which the model refuses; OpenAI has a field of its own for it. */
export interface RefusalBlock extends Block {
  readonly type: 'refusal';
  readonly text: string;
}

/** An image, by its data or its address. */
export interface ImageBlock extends Block {
  readonly type: 'image';
  readonly source: MediaSource;
  /** How closely the model looks: `low`, `high`, `auto`. */
  readonly detail?: string;
}

/** A recording. */
export interface AudioBlock extends Block {
  readonly type: 'audio';
  readonly source: MediaSource;
}

/** A video, by its data or its address. */
export interface VideoBlock extends Block {
  readonly type: 'video';
  readonly source: MediaSource;
}

/** A document, such as a PDF or a text file. */
export interface FileBlock extends Block {
  readonly type: 'file';
  readonly source: MediaSource;
  readonly name?: string;
}

/** The thinking of a model. */
export interface ThinkingBlock extends Block {
  readonly type: 'thinking';
  /** Empty where the provider keeps the thinking to itself. */
  readonly text: string;
  /** `redacted_thinking`, `encrypted_content`, a Gemini thought signature, or the signature of readable thinking. */
  readonly signature?: Signature;
  /** Whether the signature holds the thinking itself, encrypted. */
  readonly isRedacted?: boolean;
}

/** A call of a tool by the model. */
export interface ToolCallBlock extends Block {
  readonly type: 'tool_call';
  readonly id: string;
  readonly name: string;
  /** `function`: JSON text of an object. `custom`: free text. Always the provider's own text, never parsed and printed again. */
  readonly kind: 'function' | 'custom';
  /** JSON text, or the free text of a custom tool. */
  readonly input: string;
  readonly signature?: Signature;
}

/** The result of a tool call. */
export interface ToolResultBlock extends Block {
  readonly type: 'tool_result';
  readonly callId: string;
  /** Whether it is the result of a call of a custom tool. */
  readonly kind: 'function' | 'custom';
  readonly content: readonly CanonicalBlock[];
  readonly isError?: boolean;
}

/** A block that only one format knows, such as a call of a tool that the provider runs itself. */
export interface OpaqueBlock extends Block {
  readonly type: 'opaque';
  readonly wire: WireName;
  /** Its name in errors: `web_search_call`, `server_tool_use`. */
  readonly name: string;
  readonly value: Readonly<JsonObject>;
}

export type CanonicalBlock =
  | TextBlock
  | RefusalBlock
  | ImageBlock
  | AudioBlock
  | VideoBlock
  | FileBlock
  | ThinkingBlock
  | ToolCallBlock
  | ToolResultBlock
  | OpaqueBlock;

export type BlockType = CanonicalBlock['type'];

/**
 * One turn. `tool` holds tool results alone, in the order of their calls; a format that has results among the user's blocks splits
 * them off when reading and joins them with the next user's turn when writing.
 */
export interface CanonicalMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  readonly blocks: readonly CanonicalBlock[];
  /** OpenAI's name of the participant. */
  readonly name?: string;
  readonly extras?: Extras;
}
