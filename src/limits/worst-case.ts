import { Injectable } from '@nestjs/common';
import { billedTokens, type BilledTokens } from '../pricing/billed-tokens.js';
import { boundNanoDollars, NO_COST, type NanoDollars } from '../runtime/nano-dollars.js';
import { boundTokens, type TokenCount } from '../runtime/token-count.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import { Pricing } from '../pricing/pricing.service.js';
import type { Deployment } from '../routing/resolved-model.js';
import { answerTokens } from '../operations/chat/answer-tokens.js';
import type { AdmissionRequest } from './limits.service.js';
import { promptSize, type PromptSize } from '../operations/chat/prompt-bytes.js';

/** Bytes of text that make a token, on average; for what is likely, not for what is certain. */
const BYTES_PER_TOKEN = 4;
/** The most that a picture is known to cost; some small models bill it by many times as many tokens as the others. */
const IMAGE_TOKENS = 3_000;
const IMAGE_TOKENS_OF_SMALL_MODELS = 50_000;
const SMALL_MODELS = /4o-mini/;
/** Of a video, a sound or a document, whose length the request need not say. */
const MEDIA_TOKENS = 64_000;
/** What providers add to a prompt that has tools. */
const TOOLS_TOKENS = 600;
/** Results of searches that a provider makes for one answer. */
const SEARCH_TOKENS = 32_000;

/** How much a call may come to, before it is made. */
@Injectable()
export class WorstCase {
  constructor(private readonly pricing: Pricing) {}

  /** How many calls to a provider one request may become. */
  providerCalls({ request, models }: Pick<AdmissionRequest, 'request' | 'models'>): number {
    if (request.n == null || request.n === 1) return 1;
    return Math.max(
      ...models().flatMap(({ deployments }) => deployments.map(({ provider }) => provider.callsOf(request))),
    );
  }

  /** What is set aside of tokens a minute; it is corrected when the call has ended. */
  likelyTokens({ request, model }: AdmissionRequest, calls: number): TokenCount {
    const prompt = Math.ceil(promptSize(request).bytes / BYTES_PER_TOKEN) * calls;
    return boundTokens(prompt + answerTokens(request, model.maxOutputTokens));
  }

  /** Tokens that one attempt at a deployment does not exceed: a token is at least one byte of text. */
  tokens(request: ChatRequest, deployment: Deployment, maxOutputTokens: number | undefined): BilledTokens {
    return tokensOf(promptSize(request), request, deployment, maxOutputTokens);
  }

  /**
   * What no attempt within the limits of the request exceeds, by the dearest deployment that may answer. Null when the price of
   * one is unknown.
   */
  async cost({ request, models }: AdmissionRequest): Promise<NanoDollars | null> {
    const size = promptSize(request);
    let most = NO_COST;
    for (const { deployments, maxOutputTokens } of models()) {
      for (const deployment of deployments) {
        const cost = await this.pricing.mostOf(tokensOf(size, request, deployment, maxOutputTokens), deployment);
        if (cost === null) return null;
        most = boundNanoDollars(Math.max(most, cost));
      }
    }
    return most;
  }
}

function tokensOf(
  { bytes, images, media, hasTools, searches }: PromptSize,
  request: ChatRequest,
  { provider, upstreamModel }: Deployment,
  maxOutputTokens: number | undefined,
): BilledTokens {
  const perImage = SMALL_MODELS.test(upstreamModel) ? IMAGE_TOKENS_OF_SMALL_MODELS : IMAGE_TOKENS;
  const prompt =
    bytes + images * perImage + media * MEDIA_TOKENS + (hasTools ? TOOLS_TOKENS : 0) + (searches ? SEARCH_TOKENS : 0);
  return billedTokens(
    boundTokens(prompt * provider.callsOf(request)),
    boundTokens(answerTokens(request, maxOutputTokens)),
  );
}
