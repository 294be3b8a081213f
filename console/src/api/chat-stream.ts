import { openStream } from './client';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** A response as it arrives. Times are milliseconds from the sending of the request. */
export interface ChatProgress {
  readonly text: string;
  readonly reasoning: string;
  /** Calls of tools, with the arguments as far as they have come. */
  readonly toolCalls: readonly { readonly name: string; readonly arguments: string }[];
  readonly events: readonly string[];
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
  readonly finish: string | null;
  readonly model: string | null;
  readonly provider: string | null;
  readonly attempts: string | null;
  readonly requestId: string | null;
}

/** Raw events that are kept for the view. */
const MAX_EVENTS = 2_000;

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: {
      readonly content?: string | null;
      readonly reasoning_content?: string | null;
      readonly tool_calls?: readonly {
        readonly index: number;
        readonly function?: { readonly name?: string; readonly arguments?: string };
      }[];
    };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
  readonly error?: { readonly message: string };
}

/**
 * Sends a chat request and reads its stream.
 *
 * @throws ApiError where the gateway refuses, Error where the stream breaks or tells an error
 */
export async function streamChat(
  body: object,
  signal: AbortSignal,
  onProgress: (progress: ChatProgress) => void,
): Promise<ChatProgress> {
  const started = performance.now();
  const request = { ...body, stream: true, stream_options: { include_usage: true } };
  const response = await openStream('/v1/chat/completions', request, signal);
  const { headers } = response;
  let progress: ChatProgress = {
    text: '',
    reasoning: '',
    toolCalls: [],
    events: [],
    firstTokenMs: null,
    totalMs: 0,
    usage: null,
    finish: null,
    model: headers.get('x-gateway-model'),
    provider: headers.get('x-gateway-provider'),
    attempts: headers.get('x-gateway-attempts'),
    requestId: headers.get('x-request-id'),
  };
  let isWhole = false;
  for await (const data of eventsOf(response)) {
    const totalMs = performance.now() - started;
    const events = progress.events.length < MAX_EVENTS ? [...progress.events, data] : progress.events;
    if (data === '[DONE]') {
      isWhole = true;
      progress = { ...progress, events, totalMs };
    } else {
      const chunk = JSON.parse(data) as Chunk;
      if (chunk.error !== undefined) throw new Error(chunk.error.message);
      progress = { ...withChunk(progress, chunk, totalMs), events, totalMs };
    }
    onProgress(progress);
  }
  if (!isWhole) throw new Error('The stream ended before its response was complete.');
  return progress;
}

function withChunk(progress: ChatProgress, { choices, usage }: Chunk, at: number): ChatProgress {
  const [choice] = choices ?? [];
  const text = choice?.delta?.content ?? '';
  const reasoning = choice?.delta?.reasoning_content ?? '';
  const toolCalls = [...progress.toolCalls];
  for (const { index, function: call } of choice?.delta?.tool_calls ?? []) {
    const known = toolCalls[index] ?? { name: '', arguments: '' };
    toolCalls[index] = { name: known.name + (call?.name ?? ''), arguments: known.arguments + (call?.arguments ?? '') };
  }
  const hasToken = text !== '' || reasoning !== '' || (choice?.delta?.tool_calls?.length ?? 0) > 0;
  return {
    ...progress,
    text: progress.text + text,
    reasoning: progress.reasoning + reasoning,
    toolCalls,
    firstTokenMs: progress.firstTokenMs ?? (hasToken ? at : null),
    usage: usage ?? progress.usage,
    finish: choice?.finish_reason ?? progress.finish,
  };
}

/** The data of server-sent events. */
async function* eventsOf(response: Response): AsyncGenerator<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return;
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: ')) yield line.slice('data: '.length);
  }
}
