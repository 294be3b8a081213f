export type Json = Readonly<Record<string, unknown>>;

/** The `error` of a response that is not a 2xx. */
export interface ApiError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** What a gateway answered, read whole. */
export class GatewayResponse<Body = Json> {
  /** The parsed JSON; an empty object where the text is no JSON, such as a stream. */
  readonly body: Body & { readonly error?: ApiError };

  /** @returns a header's value; empty where the response has none */
  readonly header = (name: string): string => this.headers.get(name) ?? '';

  /** @param tookMs milliseconds from the request to the last byte */
  constructor(
    readonly status: number,
    readonly headers: Headers,
    readonly text: string,
    readonly tookMs: number,
  ) {
    this.body = (parseJson(text) ?? {}) as Body & { readonly error?: ApiError };
  }

  /** The parsed data of a stream's events, without `[DONE]`. */
  events<Event = Json>(): Event[] {
    return this.text
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]')
      .map((line) => JSON.parse(line.slice('data: '.length)) as Event);
  }
}

/** @returns undefined for text that is no JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How many responses had which status. */
export function countStatuses(responses: readonly { readonly status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of responses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
