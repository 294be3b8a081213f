import type { BatchRequest, BatchServer, Send } from './batch-server.js';

export const LINE_USAGE = {
  prompt_tokens: 100,
  completion_tokens: 10,
  reasoning_tokens: 4,
  cached_tokens: 40,
} as const;

/** Responds to a request that is no batch, in the format of its path. */
export function liveResponse(server: BatchServer, { url: { pathname }, text: json }: BatchRequest, send: Send): void {
  const body = JSON.parse(json || '{}') as Record<string, unknown>;
  const tier = typeof body['service_tier'] === 'string' ? body['service_tier'] : undefined;
  if (tier === 'flex' && server.flexRefusals > 0) {
    server.flexRefusals -= 1;
    send(429, { error: { message: 'Resource unavailable', type: 'rate_limit_error', code: 'resource_unavailable' } });
    return;
  }
  const text = promptOf(body);
  server.live.push({ text, tier });
  send(200, formatOf(pathname)(text, tier));
}

function formatOf(path: string): (text: string, tier?: string) => object {
  if (path.endsWith(':generateContent')) return contentOf;
  if (path.endsWith('/converse')) return converseOf;
  return /(?:messages|:rawPredict|\/invoke)$/.test(path) ? messageOf : completionOf;
}

/** The text of the last message of a request in any of the formats. */
export function promptOf({ messages, contents }: Record<string, unknown>): string {
  const { content, parts } = ((messages ?? contents) as { content?: unknown; parts?: unknown }[]).at(-1) ?? {};
  const last = content ?? parts;
  return typeof last === 'string' ? last : (last as { text?: string }[]).map(({ text }) => text ?? '').join('');
}

export function completionOf(text: string, tier?: string): object {
  return {
    id: 'chatcmpl-batch',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: `echo ${text}` }, finish_reason: 'stop' }],
    usage: {
      prompt_tokens: LINE_USAGE.prompt_tokens,
      completion_tokens: LINE_USAGE.completion_tokens,
      total_tokens: LINE_USAGE.prompt_tokens + LINE_USAGE.completion_tokens,
      prompt_tokens_details: { cached_tokens: LINE_USAGE.cached_tokens },
      completion_tokens_details: { reasoning_tokens: LINE_USAGE.reasoning_tokens },
    },
    ...(tier !== undefined && { service_tier: tier }),
  };
}

export function messageOf(text: string): object {
  return {
    id: 'msg_batch',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: `echo ${text}` }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: {
      input_tokens: LINE_USAGE.prompt_tokens - LINE_USAGE.cached_tokens,
      cache_read_input_tokens: LINE_USAGE.cached_tokens,
      output_tokens: LINE_USAGE.completion_tokens,
    },
  };
}

export function contentOf(text: string): object {
  return {
    candidates: [{ content: { role: 'model', parts: [{ text: `echo ${text}` }] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: {
      promptTokenCount: LINE_USAGE.prompt_tokens,
      cachedContentTokenCount: LINE_USAGE.cached_tokens,
      candidatesTokenCount: LINE_USAGE.completion_tokens - LINE_USAGE.reasoning_tokens,
      thoughtsTokenCount: LINE_USAGE.reasoning_tokens,
      totalTokenCount: LINE_USAGE.prompt_tokens + LINE_USAGE.completion_tokens,
    },
    modelVersion: 'm',
    responseId: 'r',
  };
}

export function converseOf(text: string): object {
  return {
    output: { message: { role: 'assistant', content: [{ text: `echo ${text}` }] } },
    stopReason: 'end_turn',
    usage: {
      inputTokens: LINE_USAGE.prompt_tokens - LINE_USAGE.cached_tokens,
      outputTokens: LINE_USAGE.completion_tokens,
      totalTokens: LINE_USAGE.prompt_tokens + LINE_USAGE.completion_tokens,
      cacheReadInputTokens: LINE_USAGE.cached_tokens,
      cacheWriteInputTokens: 0,
    },
    metrics: { latencyMs: 1 },
  };
}
