/** The whole response to every request. */
export const RESPONSE: string;
/** Milliseconds of each fault. */
export const TIMES: Readonly<Record<'slow' | 'stall' | 'silence' | 'outage' | 'betweenTokens', number>>;

export interface FaultyProvider {
  /** Origin of the server. */
  readonly url: string;
  /** Every request, in order. */
  readonly seen: readonly { readonly model: string; readonly at: number; readonly action: string }[];
  stop(): Promise<void>;
}

/** The event of a word that is not the first one. */
export function eventOf(format: 'chat' | 'messages' | 'responses' | 'gemini', model: string, word: string): string;

/** @param options the text of the whole response to every request */
export function startFaultyProvider(options?: { readonly text?: string }): Promise<FaultyProvider>;
