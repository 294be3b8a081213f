/** The deployment that responded. */
export interface ServedBy {
  /** The configured model. */
  readonly model: string;
  readonly provider: string;
  /** Upstream calls that it took, 1 or more. */
  readonly attempts: number;
  /** Fields of the request that the provider does not support and did not receive; usually empty. */
  readonly droppedParams: readonly string[];
  /** `x-ratelimit-*`; undefined where nothing is limited. */
  readonly rateLimits: Readonly<Record<string, string>> | undefined;
}
