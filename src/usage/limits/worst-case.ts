import { Injectable } from '@nestjs/common';
import type { ChatRequest } from '../../chat/chat-completion.js';
import { ModelsService } from '../../models/models.service.js';
import type { AdmissionRequest } from './limits.service.js';
import { promptBytes } from './prompt-bytes.js';

/** Tokens of an answer where neither the request nor the model says how long it may be. */
const DEFAULT_ANSWER = 4_096;
/** Bytes of text that make a token, on average; for what is likely, not for what is certain. */
const BYTES_PER_TOKEN = 4;
/** The most that a picture which is only named by its address is known to cost. */
const IMAGE_TOKENS = 3_000;

/** How much a call may come to, before it is made. */
@Injectable()
export class WorstCase {
  constructor(private readonly models: ModelsService) {}

  /** What is set aside of tokens a minute; it is corrected when the call has ended. */
  likelyTokens({ request, model }: AdmissionRequest): number {
    return Math.ceil(promptBytes(request) / BYTES_PER_TOKEN) + answerTokens(request, model.maxOutputTokens);
  }

  /**
   * Billionths of a dollar that no answer within `max_tokens` exceeds: a token is at least one byte of text, so the
   * prompt has at most as many tokens as bytes. Null when the price of a deployment that may answer is unknown.
   */
  async cost({ request, model, deployments }: AdmissionRequest): Promise<number | null> {
    const prompt = promptBytes(request) + countImages(request) * IMAGE_TOKENS;
    const completion = answerTokens(request, model.maxOutputTokens);
    const usage = { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
    let most = 0;
    for (const deployment of deployments()) {
      const cost = await this.models.costOf(usage, deployment);
      if (cost === null) return null;
      most = Math.max(most, cost);
    }
    return Math.ceil(most * 1e9);
  }
}

function answerTokens({ max_completion_tokens: most, max_tokens: older, n }: ChatRequest, ofModel?: number): number {
  return (most ?? older ?? ofModel ?? DEFAULT_ANSWER) * (n ?? 1);
}

function countImages({ messages }: ChatRequest): number {
  let images = 0;
  for (const { content } of messages) {
    if (Array.isArray(content)) for (const { type } of content) if (type !== 'text') images += 1;
  }
  return images;
}
