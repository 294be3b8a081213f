/** What a request takes longer than at its provider, by the formats of the client and of the provider. */
import { median, writeWrkScript, wrk } from './load.mjs';
import { PLAIN_BODY, startGateway, startNginx } from './targets.mjs';

const TEXT = 'Hello Ada. '.repeat(20).trim();
const USAGE = { input_tokens: 40, output_tokens: 60, total_tokens: 100 };
/** Responses of the providers that speak a format of their own, by the first part of the path. */
const REPLIES = {
  anthropic: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-bench',
    content: [{ type: 'text', text: TEXT }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: USAGE,
  },
  google: {
    candidates: [{ content: { parts: [{ text: TEXT }], role: 'model' }, finishReason: 'STOP', index: 0 }],
    usageMetadata: { promptTokenCount: 40, candidatesTokenCount: 60, totalTokenCount: 100 },
    modelVersion: 'gemini-bench',
  },
  responses: {
    id: 'resp_1',
    object: 'response',
    created_at: 1_770_000_000,
    status: 'completed',
    model: 'bench',
    output: [
      {
        id: 'msg_1',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: TEXT, annotations: [] }],
      },
    ],
    usage: USAGE,
  },
};
const [{ content: system }, { content: prompt }] = PLAIN_BODY.messages;
/** Path and body of a client, for a model. */
const CLIENTS = {
  chat: (model) => ['/v1/chat/completions', { ...PLAIN_BODY, model }],
  messages: (model) => [
    '/v1/messages',
    { model, max_tokens: 200, system, messages: [{ role: 'user', content: prompt }] },
  ],
  responses: (model) => ['/v1/responses', { model, store: false, instructions: system, input: prompt }],
  gemini: (model) => [
    `/v1beta/models/${model}:generateContent`,
    { systemInstruction: { parts: [{ text: system }] }, contents: [{ role: 'user', parts: [{ text: prompt }] }] },
  ],
};
const NATIVE = [
  ['chat', 'openai'],
  ['messages', 'anthropic'],
  ['responses', 'responses'],
  ['gemini', 'google'],
];
const TRANSLATED = [
  ['messages', 'openai'],
  ['responses', 'openai'],
  ['gemini', 'openai'],
  ['chat', 'anthropic'],
  ['chat', 'google'],
  ['messages', 'google'],
];

const configOf = (origin) =>
  JSON.stringify({
    providers: {
      openai: { type: 'openai', base_url: `${origin}/openai/v1`, api_key: 'bench-key', responses: 'off' },
      responses: { type: 'openai', base_url: `${origin}/responses/v1`, api_key: 'bench-key', responses: 'native' },
      anthropic: { type: 'anthropic', base_url: `${origin}/anthropic/v1`, api_key: 'bench-key' },
      google: { type: 'google', base_url: `${origin}/google/v1beta`, api_key: 'bench-key' },
    },
    models: ['openai', 'responses', 'anthropic', 'google'].map((provider) => ({
      id: provider,
      deployments: [{ provider, model: `${provider === 'anthropic' ? 'claude-' : ''}bench` }],
      price: { input_per_million: 1, output_per_million: 2 },
    })),
  });

/** One connection: added p50 in milliseconds, by client and provider. */
export async function formats({ folder, node, tree, rounds, seconds, warmUp }) {
  const upstream = await startNginx(folder, { replies: REPLIES });
  const gateway = await startGateway(folder, node, upstream.origin, { tree, config: configOf(upstream.origin) });
  const figures = {};
  try {
    for (const [client, provider] of [...NATIVE, ...TRANSLATED]) {
      const [path, body] = CLIENTS[client](provider);
      const name = `${client} to ${provider}`;
      const text = JSON.stringify(body);
      const direct = writeWrkScript(
        folder,
        `direct-${client}-${provider}`,
        { 'content-type': 'application/json' },
        text,
      );
      const through = writeWrkScript(folder, `through-${client}-${provider}`, gateway.headers, text);
      await wrk(`${gateway.base}${path}`, through, 8, warmUp);
      const added = [];
      for (let round = 0; round < rounds; round += 1) {
        const base = await wrk(`${upstream.origin}/${provider}/`, direct, 1, Math.min(seconds, 2));
        const seen = await wrk(`${gateway.base}${path}`, through, 1, Math.min(seconds, 2));
        if (seen.failures > 0) throw new Error(`${name}: ${seen.failures} of ${seen.requests} requests failed`);
        added.push(seen.p50 - base.p50);
      }
      figures[name] = median(added);
    }
  } finally {
    await gateway.stop();
    await upstream.stop();
  }
  return figures;
}
