import type { ChatCompletion, ChatCompletionChunk, Delta } from './chat-completion.js';

/** Most characters of a response that are recorded. */
const MAX_CHARACTERS = 1_000_000;
/** Indexes of choices and of tool calls come from upstream; an array must not grow by one that is out of all reason. */
const LAST_INDEX = 1_023;

/** A tool call of a recorded response; `arguments` is JSON text. */
export interface RecordedToolCall {
  id: string;
  name: string;
  arguments: string;
}

/** One choice as it was written. */
export interface RecordedChoice {
  content: string;
  reasoning: string;
  refusal: string;
  readonly tool_calls: RecordedToolCall[];
  finish_reason: string | null;
}

/** The recorded response, for traces and the request log. */
export interface RecordedResponse {
  id: string | undefined;
  /** The model that the provider reports. */
  model: string | undefined;
  /** The generated content, only if content is kept; finish reasons in any case. */
  readonly choices: RecordedChoice[];
  /** Whether the response was longer than what is recorded. */
  isCut: boolean;
}

/** Records a response from a completion, or from the chunks of a stream as far as they were received. */
export class ResponseRecorder {
  readonly response: RecordedResponse = { id: undefined, model: undefined, choices: [], isCut: false };
  private length = 0;

  /** @param keepsContent whether what the model wrote is kept, and not only how it ended */
  constructor(private readonly keepsContent: boolean) {}

  completed({ id, model, choices }: ChatCompletion): void {
    this.response.id = id;
    this.response.model = model;
    for (const { index, message, finish_reason: reason } of choices) {
      if (index > LAST_INDEX) continue;
      const { tool_calls: calls, ...rest } = message;
      this.wrote(index, { ...rest, ...(calls && { tool_calls: calls.map((call, at) => ({ ...call, index: at })) }) });
      this.choice(index).finish_reason = reason;
    }
  }

  streamed({ id, model, choices }: ChatCompletionChunk): void {
    this.response.id ??= id;
    this.response.model ??= model;
    for (const { index, delta, finish_reason: reason } of choices) {
      if (index > LAST_INDEX) continue;
      this.wrote(index, delta);
      if (reason !== null) this.choice(index).finish_reason = reason;
    }
  }

  private choice(index: number): RecordedChoice {
    return (this.response.choices[index] ??= {
      content: '',
      reasoning: '',
      refusal: '',
      tool_calls: [],
      finish_reason: null,
    });
  }

  private wrote(index: number, delta: Delta): void {
    const choice = this.choice(index);
    if (!this.keepsContent) return;
    choice.content += this.kept(delta.content);
    choice.reasoning += this.kept(delta['reasoning_content']);
    choice.refusal += this.kept(delta.refusal);
    for (const { index: at, id, function: called } of delta.tool_calls ?? []) {
      if (at > LAST_INDEX) continue;
      const call = (choice.tool_calls[at] ??= { id: '', name: '', arguments: '' });
      if (id !== undefined) call.id = id;
      if (called?.name !== undefined) call.name = called.name;
      call.arguments += this.kept(called?.arguments);
    }
  }

  private kept(text: unknown): string {
    if (typeof text !== 'string' || text === '') return '';
    const room = MAX_CHARACTERS - this.length;
    this.length += text.length;
    if (text.length <= room) return text;
    this.response.isCut = true;
    return text.slice(0, Math.max(0, room));
  }
}
