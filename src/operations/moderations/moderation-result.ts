import type { TokenCount } from '../../runtime/token-count.js';

/** The result of one input. */
export interface Moderation {
  readonly flagged: boolean;
  readonly categories: Readonly<Record<string, boolean>>;
  /** 0 to 1 for each category. */
  readonly category_scores: Readonly<Record<string, number>>;
  /** For each category the kinds of input that it was looked for in: `text`, `image`. */
  readonly category_applied_input_types?: Readonly<Record<string, readonly string[]>>;
  readonly [field: string]: unknown;
}

/** The result of a moderation request in OpenAI's form. */
export interface ModerationResult {
  readonly id: string | undefined;
  readonly model: string;
  /** Results in the order of the inputs. */
  readonly results: readonly Moderation[];
  /** Input tokens; undefined where the provider did not report them. */
  readonly tokens: TokenCount | undefined;
}
