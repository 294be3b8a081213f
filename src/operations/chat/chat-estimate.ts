import { BYTES_PER_TOKEN } from '../text-tokens.js';
import { boundTokens, type TokenCount } from '../../runtime/token-count.js';
import { billedTokens, type BilledUsage } from '../billed-tokens.js';
import type { Estimate, EstimateTarget } from '../operation.js';
import { cachesForAnHour } from './cache-time.js';
import { responseTokens } from './response-tokens.js';
import type { ChatRequest } from './chat-completion.js';
import { promptSize, type PromptSize } from './prompt-bytes.js';

/** The most that a picture is known to cost; some small models bill it by many times as many tokens as the others. */
const IMAGE_TOKENS = 3_000;
const IMAGE_TOKENS_OF_SMALL_MODELS = 50_000;
const SMALL_MODELS = /4o-mini/;
/** Tokens assumed for a video, a sound or a document, whose length the request need not state. */
const MEDIA_TOKENS = 64_000;
/** The tokens that providers add to a prompt with tools. */
const TOOLS_TOKENS = 600;
/** Results of searches that a provider makes for one response. */
const SEARCH_TOKENS = 32_000;

/** The size of a chat request, which is measured once. */
export class ChatEstimate implements Estimate {
  private readonly size: PromptSize;
  private forAnHour: boolean | undefined;

  constructor(private readonly request: ChatRequest) {
    this.size = promptSize(request);
  }

  likelyTokens({ maxOutputTokens, calls }: Omit<EstimateTarget, 'upstreamModel'>): TokenCount {
    const prompt = Math.ceil(this.size.bytes / BYTES_PER_TOKEN) * calls;
    return boundTokens(prompt + responseTokens(this.request, maxOutputTokens));
  }

  /** A token is at least one byte of text. */
  most({ upstreamModel, maxOutputTokens, calls }: EstimateTarget): BilledUsage {
    const { bytes, images, media, hasTools, searches } = this.size;
    const perImage = SMALL_MODELS.test(upstreamModel) ? IMAGE_TOKENS_OF_SMALL_MODELS : IMAGE_TOKENS;
    const prompt =
      bytes + images * perImage + media * MEDIA_TOKENS + (hasTools ? TOOLS_TOKENS : 0) + (searches ? SEARCH_TOKENS : 0);
    const tokens = billedTokens(
      boundTokens(prompt * calls),
      boundTokens(responseTokens(this.request, maxOutputTokens)),
    );
    this.forAnHour ??= cachesForAnHour(this.request);
    return this.forAnHour ? { ...tokens, mayCacheForAnHour: true } : tokens;
  }
}
