export interface Outcome {
  /** Whether the stream finished as its format says. */
  readonly isWhole: boolean;
  readonly text: string;
  /** Empty where there is none. */
  readonly error: string;
  readonly usage: unknown;
  /** The configured model that responded. */
  readonly model: string | null;
  /** Milliseconds. */
  readonly took: number;
  /** As the end of the stream says it. */
  readonly recovered: number;
  /** Of the response. */
  readonly ids: readonly string[];
}

export function ask(
  url: string,
  key: string,
  format: 'chat' | 'messages' | 'responses' | 'gemini',
  model: string,
  headers?: Readonly<Record<string, string>>,
): Promise<Outcome>;
