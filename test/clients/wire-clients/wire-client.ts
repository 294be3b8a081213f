import type { JsonBody } from '../../upstreams/native-formats/wire-format.js';

/** Why a response ended, in one word for all formats. */
export type Finish = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** What a client reads of a response, in whichever format. */
export interface Outcome {
  /** Whether it has its format's own end. */
  readonly isWhole: boolean;
  readonly text: string;
  readonly thinking: string;
  readonly calls: readonly { readonly name: string; readonly input: string }[];
  readonly finish?: Finish;
  readonly usage?: { readonly prompt: number; readonly completion: number; readonly cached: number };
  /** The event that ended a stream early, or the body of a response that is none. */
  readonly error?: JsonBody;
}

/** A question in any format. */
export interface Question {
  readonly model: string;
  readonly prompt: string;
  readonly isStream: boolean;
  readonly hasTools?: boolean;
}

/** The requests and responses of one wire format, as a client that checks all that it reads. */
export interface WireClient {
  readonly name: 'chat' | 'completions' | 'messages' | 'responses' | 'gemini';
  /** Formats of providers whose bytes reach this client as they are. */
  readonly native: readonly string[];
  ask(question: Question): { readonly path: string; readonly body: JsonBody };
  readWhole(body: JsonBody): Outcome;
  /**
   * @param isStrict whether the gateway wrote the events, which then keep every rule of the format
   * @throws Error for events that the format does not allow
   */
  readStream(text: string, isStrict: boolean): Outcome;
}

export const TOOL_NAMES = ['get_weather', 'get_time'] as const;
export const TOOL_PARAMETERS = {
  type: 'object',
  properties: { city: { type: 'string' } },
  additionalProperties: true,
} as const;

export interface StreamedEvent {
  readonly event: string;
  readonly data: string;
}

/** The events of a stream. Comments are none. */
export function eventsOf(text: string): StreamedEvent[] {
  return text.split(/\r?\n\r?\n/).flatMap((block) => {
    const lines = block.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith(':'));
    const valueOf = (name: string): string =>
      lines
        .filter((line) => line.startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).replace(/^ /, ''))
        .join('\n');
    return lines.length === 0 ? [] : [{ event: valueOf('event'), data: valueOf('data') }];
  });
}

export function demand(condition: boolean, reason: string, value?: unknown): asserts condition {
  if (!condition) throw new Error(value === undefined ? reason : `${reason}: ${JSON.stringify(value)}`);
}

export function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
