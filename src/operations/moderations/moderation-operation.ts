import { boundTokens, type TokenCount } from '../../runtime/token-count.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { billedTokens } from '../billed-tokens.js';
import { countTokens } from '../chat/count-tokens.js';
import { InputEstimate } from '../input-estimate.js';
import { JsonOperation } from '../json-operation.js';
import type { Estimate, RecordingDetail } from '../operation.js';
import { estimateTokens } from '../text-tokens.js';
import { WholeResultCollector } from '../whole-result-collector.js';
import { imageCount, moderationTexts, type ModerationRequest } from './moderation-request.js';

const KNOWN_FIELDS: ReadonlySet<string> = new Set(['model', 'input', 'metadata', 'strict_params']);
/** A picture in the detail that is used by default; what it really costs depends on its size. */
const TOKENS_PER_IMAGE = 765;
/** The most that a picture is known to cost. */
const MAX_TOKENS_PER_IMAGE = 3_000;

class ModerationOperation extends JsonOperation<'moderations'> {
  override readonly name = 'moderations';
  override readonly knownFields = KNOWN_FIELDS;

  override estimate(request: ModerationRequest): Estimate {
    const { likely, most } = estimateTokens(moderationTexts(request));
    const images = imageCount(request);
    return new InputEstimate({
      likely: likely + images * TOKENS_PER_IMAGE,
      most: most + images * MAX_TOKENS_PER_IMAGE,
    });
  }

  override collector(request: ModerationRequest, detail: RecordingDetail): WholeResultCollector<'moderations'> {
    return new WholeResultCollector<'moderations'>(detail, {
      billed: ({ tokens }) => (tokens === undefined ? undefined : billedTokens(tokens, boundTokens(0))),
      estimate: async () => billedTokens(await countModerationTokens(request), boundTokens(0)),
      recorded: ({ id, model, results }) => ({ id, model, content: { results }, isCut: false }),
      input: () => request.input,
    });
  }

  override metadataOf({ metadata }: ModerationRequest): JsonObject | null {
    return (metadata as JsonObject | null | undefined) ?? null;
  }
}

async function countModerationTokens(request: ModerationRequest): Promise<TokenCount> {
  return boundTokens((await countTokens(moderationTexts(request))) + imageCount(request) * TOKENS_PER_IMAGE);
}

/** Classification of harmful content in texts and images. */
export const MODERATIONS = new ModerationOperation();
