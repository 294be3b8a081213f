/** Which deployment answered. */
export interface ServedBy {
  /** The configured model. */
  readonly model: string;
  readonly provider: string;
  /** Upstream calls that it took, 1 or more. */
  readonly attempts: number;
  /** Fields of the request that the provider cannot take and did not get; empty as a rule. */
  readonly droppedParams: readonly string[];
  /** `x-ratelimit-*`; undefined where nothing is limited. */
  readonly rateLimits: Readonly<Record<string, string>> | undefined;
}
