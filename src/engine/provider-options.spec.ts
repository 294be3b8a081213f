import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Principal } from '../auth/principal.js';
import type { Budget } from '../auth/spending.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import { BILLED_EXTRAS, OPERATOR_FIELDS, OPERATOR_HEADERS, withoutOperatorOptions } from './provider-options.js';

const BUDGET: Budget = { usd: 1, period: 'day' };

function key({ scopes = ['inference'], budget = null }: { scopes?: string[]; budget?: Budget | null } = {}): Principal {
  const accounts = [{ id: 'key_a', limits: null, budget }];
  return { keyId: 'key_a', scopes: new Set(scopes), accounts, allowedModels: null } as unknown as Principal;
}

function request(fields: Readonly<Record<string, unknown>> = {}): ChatRequest {
  return { model: 'm', messages: [{ role: 'user', content: 'hi' }], ...fields };
}

const FIELDS = Object.values(OPERATOR_FIELDS).flat();

describe('withoutOperatorOptions', () => {
  it('takes out and names every field of the operator, however it is spelled', () => {
    const spelled = fc.constantFrom(...FIELDS).chain((name) =>
      fc.constantFrom(
        name,
        name.toUpperCase(),
        name.replaceAll('_', '-'),
        name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
        name.replace('s', 'ſ'),
      ),
    );
    fc.assert(
      fc.property(fc.uniqueArray(spelled, { maxLength: 8 }), (names) => {
        const fields = Object.fromEntries(names.map((name) => [name, 'x']));
        const allowed = withoutOperatorOptions(CHAT, request({ ...fields, top_k: 3 }), {}, key());
        expect(allowed.request).toEqual(request({ top_k: 3 }));
        expect(allowed.dropped).toEqual(names);
      }),
    );
  });

  it('leaves ordinary fields alone, without a copy', () => {
    const ordinary = request({
      top_k: 1,
      logit_bias: {},
      chat_template_kwargs: {},
      seed: 1,
      reasoning: {},
      min_p: 0,
      user: 'u',
    });
    expect(withoutOperatorOptions(CHAT, ordinary, {}, key()).request).toBe(ordinary);
    expect(withoutOperatorOptions(CHAT, request({ web_search_options: {} }), {}, key()).dropped).toEqual([]);
  });

  it('takes out a second spelling of a field that the gateway reads, which a server may take for the field itself', () => {
    const { request: sent, dropped } = withoutOperatorOptions(
      CHAT,
      request({ Model: 'dear', MAX_TOKENS: 9, ſtream: 1 }),
      {},
      key(),
    );
    expect(sent).toEqual(request());
    expect(dropped).toEqual(['Model', 'MAX_TOKENS', 'ſtream']);
  });

  it('lets a key with the scope send them, and keeps its idempotency keys apart from those of others', () => {
    const fields = { service_tier: 'flex', models: ['x'], web_search_options: {} };
    const trusted = key({ scopes: ['inference', 'provider_options'], budget: BUDGET });
    const {
      request: sent,
      headers,
      dropped,
    } = withoutOperatorOptions(CHAT, request(fields), { 'idempotency-key': 'order-1', 'openai-project': 'p' }, trusted);
    expect([sent, dropped]).toEqual([request(fields), []]);
    expect(headers).toEqual({ 'idempotency-key': 'key_a-order-1', 'openai-project': 'p' });
  });

  it('takes out and names headers of the operator', () => {
    const headers = Object.fromEntries([...OPERATOR_HEADERS, 'traceparent'].map((name) => [name, 'x']));
    const allowed = withoutOperatorOptions(CHAT, request(), headers, key());
    expect(allowed.headers).toEqual({ traceparent: 'x' });
    expect(allowed.dropped).toEqual([...OPERATOR_HEADERS]);
  });

  it('takes what is billed beside tokens out for keys with a budget, and tools of the provider', () => {
    const limited = key({ budget: BUDGET });
    for (const name of BILLED_EXTRAS) {
      const fields = { [name]: name === 'modalities' ? ['text', 'audio'] : {} };
      expect(withoutOperatorOptions(CHAT, request(fields), {}, limited)).toMatchObject({
        request: request(),
        dropped: [name],
      });
    }
    expect(withoutOperatorOptions(CHAT, request({ modalities: ['text'] }), {}, limited).dropped).toEqual([]);
    const tools = [{ type: 'function', function: { name: 'f' } }, { type: 'web_search_preview' }];
    expect(withoutOperatorOptions(CHAT, request({ tools }), {}, limited)).toMatchObject({
      request: { tools: [tools[0]] },
      dropped: ['tools[1].web_search_preview'],
    });
    const only = request({ tools: [tools[1]] });
    expect(() => withoutOperatorOptions(CHAT, only, {}, limited)).toThrow(/tools\[0\]/);
    const strict = request({ tools, strict_params: true });
    expect(() => withoutOperatorOptions(CHAT, strict, {}, limited)).toThrow(/tools\[1\]/);
    expect(withoutOperatorOptions(CHAT, request({ tools }), {}, key()).dropped).toEqual([]);
  });

  it('refuses with strict_params, and does not name what would happen anyway', () => {
    expect(() => withoutOperatorOptions(CHAT, request({ models: [], strict_params: true }), {}, key())).toThrow(
      /'models'/,
    );
    expect(withoutOperatorOptions(CHAT, request({ service_tier: 'auto', models: null }), {}, key()).dropped).toEqual(
      [],
    );
  });

  it('has every field and header in the table of the docs', () => {
    const page = readFileSync(new URL('../../docs/providers.md', import.meta.url), 'utf8');
    for (const name of [...FIELDS, ...BILLED_EXTRAS, ...OPERATOR_HEADERS]) expect(page).toContain(`\`${name}\``);
  });
});
