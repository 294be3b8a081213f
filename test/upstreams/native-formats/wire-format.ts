import type { IncomingHttpHeaders } from 'node:http';

export type JsonBody = Readonly<Record<string, unknown>>;

/** What a request asks for, whichever format it came in. */
export interface Asked {
  readonly model: string;
  readonly stream: boolean;
  readonly lastUserText: string;
  /** Names of the tools that may be called. */
  readonly tools: readonly string[];
  /** Answers to tool calls after the last turn of the model. */
  readonly toolResults: readonly { readonly id: string; readonly content: string }[];
  readonly schema: unknown;
  /** Media type and size, or address, of each image of the last user message. */
  readonly images: readonly string[];
}

/** The response of the model, before a format writes it. */
export interface ModelResponse {
  readonly words: readonly string[];
  readonly reasoning: readonly string[];
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly input: unknown }[];
  readonly usage: {
    readonly prompt: number;
    readonly completion: number;
    readonly cached: number;
    readonly reasoning: number;
  };
}

export interface WireFormat {
  readonly streamType: string;
  /** A string is why the provider refuses the request. */
  read(path: string, body: JsonBody, headers: IncomingHttpHeaders): Asked | string;
  whole(response: ModelResponse, asked: Asked): unknown;
  frames(response: ModelResponse, asked: Asked): (string | Buffer)[];
  error(status: number, message: string): unknown;
  errorFrame(message: string): string | Buffer;
  models(): unknown;
}

/** Objects out of a body, for a fake that checks types. */
export function objects(value: unknown): JsonBody[] {
  return Array.isArray(value)
    ? value.filter((item): item is JsonBody => typeof item === 'object' && item !== null)
    : [];
}

export function object(value: unknown): JsonBody {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonBody) : {};
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function sse(data: unknown, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** A text in two pieces that end anywhere, as real providers send tool arguments. */
export function pieces(value: string): string[] {
  const half = Math.ceil(value.length / 2);
  return [value.slice(0, half), value.slice(half)].filter((piece) => piece !== '');
}
