/** A response of a gateway, as a test's client got it. */
export interface ObservedResponse {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  /** The header `content-type`; empty without one. */
  readonly contentType: string;
  /** The parsed JSON; undefined if there is none, or where it was not read. */
  readonly body: unknown;
}

type Observer = (response: ObservedResponse) => void;

const observers = new Set<Observer>();

/** @param observer called with each response that GatewayClient receives in this file's tests */
export function observeResponses(observer: Observer): void {
  observers.add(observer);
}

export function notifyResponse(response: ObservedResponse): void {
  for (const observer of observers) observer(response);
}
