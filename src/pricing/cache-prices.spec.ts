import fc from 'fast-check';
import { readBilledTokens, type BilledTokens, type BilledUsage } from '../operations/billed-tokens.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import type { CanonicalUsage } from '../operations/chat/canonical/canonical-result.js';
import { readUsage as readAnthropic } from '../wire/anthropic/usage.js';
import { readUsage as readConverse } from '../wire/bedrock-converse/read-response.js';
import { readUsage as readGemini } from '../wire/gemini/usage.js';
import { writeUsage } from '../wire/openai-chat/canonical-usage.js';
import { normaliseUsage } from '../wire/openai-chat/normalise-usage.js';
import { costAtPrice } from './cost.js';
import { PriceCatalog } from './price-catalog.js';
import { Pricing } from './pricing.service.js';

const ANTHROPIC = 'https://api.anthropic.com/v1';
const BEDROCK = 'https://bedrock-runtime.us-east-1.amazonaws.com';
const VERTEX = 'https://us-east5-aiplatform.googleapis.com';
const NANOS_PER_MICRO = 1_000;
const catalog = new PriceCatalog();
const pricing = new Pricing(catalog);

/** As the engine bills what a provider's reader has read. */
function billed(usage: CanonicalUsage | undefined): BilledTokens {
  const tokens = usage === undefined ? undefined : readBilledTokens(writeUsage(usage));
  if (tokens === undefined) throw new Error('nothing was read');
  return tokens;
}

/** Anthropic's own example of a response with both kinds of cache writes. */
const EXAMPLE = {
  input_tokens: 2_048,
  cache_read_input_tokens: 1_800,
  cache_creation_input_tokens: 248,
  output_tokens: 503,
  cache_creation: { ephemeral_5m_input_tokens: 148, ephemeral_1h_input_tokens: 100 },
};

describe("what a cache costs, by the providers' published prices", () => {
  // Millionths of a dollar: input, written for five minutes, written for an hour, read, output.
  it.each([
    ['claude-sonnet-4-5', [3, 3.75, 6, 0.3, 15]],
    ['claude-haiku-4-5', [1, 1.25, 2, 0.1, 5]],
    ['claude-opus-4-5', [5, 6.25, 10, 0.5, 25]],
  ])("agrees with Anthropic's invoice for %s", async (model, [input = 0, five = 0, hour = 0, read = 0, output = 0]) => {
    const invoice = 2_048 * input + 148 * five + 100 * hour + 1_800 * read + 503 * output;
    const nanos = await catalog.costOf(billed(readAnthropic(EXAMPLE)), ANTHROPIC, model);
    expect((nanos ?? 0) / NANOS_PER_MICRO).toBeCloseTo(invoice, 3);
  });

  it('counts every iteration of a response whose context was compacted, and its writes of an hour', () => {
    const iteration = {
      input_tokens: 100,
      output_tokens: 10,
      cache_read_input_tokens: 5,
      cache_creation_input_tokens: 7,
    };
    const usage = {
      ...EXAMPLE,
      iterations: [
        {
          type: 'compaction',
          ...iteration,
          cache_creation: { ephemeral_1h_input_tokens: 3, ephemeral_5m_input_tokens: 4 },
        },
        { type: 'message', ...EXAMPLE },
        { type: 'advisor_message', ...EXAMPLE },
      ],
    };
    expect(billed(readAnthropic(usage))).toMatchObject({
      promptTokens: 4_096 + 112,
      cachedTokens: 1_805,
      cacheWriteTokens: 255,
      cacheWrite1hTokens: 103,
      completionTokens: 513,
    });
  });

  it('knows what was written where only its parts are given', () => {
    const { cache_creation_input_tokens: _total, ...rest } = EXAMPLE;
    expect(billed(readAnthropic(rest))).toEqual(billed(readAnthropic(EXAMPLE)));
  });

  it('bills a write of an hour at twice the input on the clouds, whose list has the price of five minutes alone', async () => {
    const converse = {
      inputTokens: 2_048,
      outputTokens: 503,
      totalTokens: 4_599,
      cacheReadInputTokens: 1_800,
      cacheWriteInputTokens: 248,
      cacheDetails: [
        { ttl: '5m', inputTokens: 148 },
        { ttl: '1h', inputTokens: 100 },
      ],
    };
    const tokens = billed(readConverse(converse));
    expect(tokens).toEqual(billed(readAnthropic(EXAMPLE)));
    const places = [
      [BEDROCK, 'anthropic.claude-sonnet-4-5-20250929-v1:0'],
      [VERTEX, 'claude-sonnet-4-5'],
    ] as const;
    for (const [baseUrl, model] of places) {
      const price = await catalog.priceOf(baseUrl, model);
      const input = (price?.prompt ?? 0) * 1e6;
      const output = (price?.completion ?? 0) * 1e6;
      expect(input).toBeGreaterThan(0);
      const invoice = 2_048 * input + 148 * input * 1.25 + 100 * input * 2 + 1_800 * input * 0.1 + 503 * output;
      expect(((await catalog.costOf(tokens, baseUrl, model)) ?? 0) / NANOS_PER_MICRO).toBeCloseTo(invoice, 3);
    }
  });

  it('bills long prompts by their own prices, writes of an hour included', async () => {
    const long = { ...EXAMPLE, input_tokens: 300_000 };
    const invoice = 300_000 * 6 + 148 * 7.5 + 100 * 12 + 1_800 * 0.6 + 503 * 22.5;
    const onVertex = await catalog.costOf(billed(readAnthropic(long)), VERTEX, 'claude-sonnet-4-5');
    const direct = await catalog.costOf(billed(readAnthropic(long)), ANTHROPIC, 'claude-sonnet-4-5');
    expect((direct ?? 0) / NANOS_PER_MICRO).toBeCloseTo(invoice, 3);
    expect((onVertex ?? 0) / NANOS_PER_MICRO).toBeCloseTo(invoice, 3);
  });

  it("agrees with Google's invoice for cached content, and with OpenAI's for cached input", async () => {
    const gemini = {
      promptTokenCount: 20_000,
      cachedContentTokenCount: 16_000,
      candidatesTokenCount: 100,
      totalTokenCount: 20_100,
    };
    const google = 'https://generativelanguage.googleapis.com/v1beta';
    const atGoogle = await catalog.costOf(billed(readGemini(gemini)), google, 'gemini-2.5-pro');
    expect((atGoogle ?? 0) / NANOS_PER_MICRO).toBeCloseTo(4_000 * 1.25 + 16_000 * 0.125 + 100 * 10, 3);
    const openAi = {
      prompt_tokens: 2_006,
      completion_tokens: 300,
      total_tokens: 2_306,
      prompt_tokens_details: { cached_tokens: 1_920 },
    };
    const atOpenAi = await catalog.costOf(readBilledTokens(openAi)!, 'https://api.openai.com/v1', 'gpt-5-mini');
    expect((atOpenAi ?? 0) / NANOS_PER_MICRO).toBeCloseTo(86 * 0.25 + 1_920 * 0.025 + 300 * 2, 3);
  });

  it.each([
    ['DeepSeek', { prompt_cache_hit_tokens: 64, prompt_cache_miss_tokens: 36 }, { cached_tokens: 64 }],
    ['Moonshot', { cached_tokens: 64 }, { cached_tokens: 64 }],
    ['Mistral', { num_cached_tokens: 64, prompt_tokens_details: null }, { cached_tokens: 64 }],
    [
      'a proxy of Anthropic',
      { cache_read_input_tokens: 64, cache_creation_input_tokens: 20 },
      { cached_tokens: 64, cache_write_tokens: 20 },
    ],
    ['a server with names of Responses', { input_tokens_details: { cached_tokens: 64 } }, { cached_tokens: 64 }],
    [
      'OpenAI, which is right before all others',
      { cached_tokens: 9, prompt_tokens_details: { cached_tokens: 64 } },
      { cached_tokens: 64 },
    ],
    ['a server that counts more than there is', { cached_tokens: 101 }, undefined],
    ['a server that gives no number', { cached_tokens: '64' }, undefined],
  ])('finds the counts of %s', (_server, own, details) => {
    const usage = normaliseUsage({ prompt_tokens: 100, completion_tokens: 1, total_tokens: 101, ...own });
    expect(usage?.prompt_tokens_details).toEqual(details);
  });
});

describe('the price of the configuration', () => {
  const tokens = billed(readAnthropic(EXAMPLE));

  it.each([
    ['its own', { cachedInputPerMillion: 0.3, cacheWritePerMillion: 3.75, cacheWrite1hPerMillion: 7 }, [3.75, 7, 0.3]],
    ["Anthropic's ratio to five minutes", { cacheWritePerMillion: 3.75 }, [3.75, 6, 3]],
    ['that of input', {}, [3, 3, 3]],
    ['its own alone', { cacheWrite1hPerMillion: 6 }, [3, 6, 3]],
  ])('of a write of an hour is %s', (_kind, more, [five = 0, hour = 0, read = 0]) => {
    const nanos = costAtPrice(tokens, { inputPerMillion: 3, outputPerMillion: 15, ...more });
    expect((nanos ?? 0) / NANOS_PER_MICRO).toBeCloseTo(
      2_048 * 3 + 148 * five + 100 * hour + 1_800 * read + 503 * 15,
      6,
    );
  });

  it('is the sum of its parts, of which none is negative, for any report of a provider', () => {
    const count = fc.oneof(fc.nat(100_000), fc.constantFrom(-1, 1.5, '7', null, undefined, 2 ** 40, Number.NaN));
    const rate = fc.double({ min: 0, max: 1_000, noNaN: true });
    const price = fc.record({
      inputPerMillion: rate,
      outputPerMillion: rate,
      cachedInputPerMillion: rate,
      cacheWritePerMillion: rate,
      cacheWrite1hPerMillion: rate,
    });
    const reported = fc.record({
      prompt_tokens: fc.nat(1_000_000),
      completion_tokens: fc.nat(100_000),
      prompt_tokens_details: fc.record({
        cached_tokens: count,
        cache_write_tokens: count,
        cache_write_1h_tokens: count,
      }),
    });
    fc.assert(
      fc.property(reported, price, (usage, prices) => {
        const read = readBilledTokens(usage);
        if (read === undefined) return;
        const { promptTokens, cachedTokens, cacheWriteTokens, cacheWrite1hTokens, completionTokens } = read;
        const parts = [
          (promptTokens - cachedTokens - cacheWriteTokens) * prices.inputPerMillion,
          cachedTokens * prices.cachedInputPerMillion,
          (cacheWriteTokens - cacheWrite1hTokens) * prices.cacheWritePerMillion,
          cacheWrite1hTokens * prices.cacheWrite1hPerMillion,
          completionTokens * prices.outputPerMillion,
        ];
        for (const part of parts) expect(part).toBeGreaterThanOrEqual(0);
        const sum = parts.reduce((before, part) => before + part, 0);
        expect(Math.abs((costAtPrice(read, prices) ?? -1) / NANOS_PER_MICRO - sum)).toBeLessThan(0.001);
      }),
    );
  });
});

describe('what is reserved for a request', () => {
  const claude = { baseUrl: ANTHROPIC, upstreamModel: 'claude-sonnet-4-5' };
  const hint = (ttl?: string): object => ({ cache_control: { type: 'ephemeral', ...(ttl !== undefined && { ttl }) } });
  const text = 'A very long prompt. '.repeat(100);
  const requestOf = (fields: object): ChatRequest =>
    ({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: text }], ...fields }) as unknown as ChatRequest;
  const mostOf = (request: ChatRequest): BilledUsage =>
    CHAT.estimate(request).most({ upstreamModel: 'claude-sonnet-4-5', maxOutputTokens: undefined, calls: 1 });

  it.each([
    ['a message', { messages: [{ role: 'user', content: text, ...hint('1h') }] }, true],
    ['a part', { messages: [{ role: 'user', content: [{ type: 'text', text, ...hint('1h') }] }] }, true],
    ['a tool', { tools: [{ type: 'function', function: { name: 'f' }, ...hint('1h') }] }, true],
    ['the whole request', hint('1h'), true],
    ['five minutes', { messages: [{ role: 'user', content: [{ type: 'text', text, ...hint('5m') }] }] }, false],
    ['no time', hint(), false],
    ['text that says so', { messages: [{ role: 'user', content: JSON.stringify(hint('1h')) }] }, false],
  ])('sees an hour on %s', (_place, fields, isSeen) => {
    expect(mostOf(requestOf(fields)).mayCacheForAnHour === true).toBe(isSeen);
  });

  it('covers all of the prompt written for as long as it is asked for, and no more', async () => {
    for (const [ttl, rate] of [
      [undefined, 3.75],
      ['5m', 3.75],
      ['1h', 6],
    ] as const) {
      const most = mostOf(requestOf(hint(ttl)));
      const nanos = (await pricing.mostOf(most, claude)) ?? 0;
      expect(nanos / NANOS_PER_MICRO).toBeCloseTo(most.promptTokens * rate + most.completionTokens * 15, 3);
    }
  });

  it('is never less than what any split of the prompt costs', async () => {
    const most = mostOf(requestOf(hint('1h')));
    const bound = (await pricing.mostOf(most, claude)) ?? 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(100), fc.nat(100), fc.nat(100), async (read, write, hour) => {
        const share = (percent: number, of: number): number => Math.floor((of * percent) / 100);
        const cached = share(read, most.promptTokens);
        const written = share(write, most.promptTokens - cached);
        const usage = {
          prompt_tokens: most.promptTokens,
          completion_tokens: most.completionTokens,
          prompt_tokens_details: {
            cached_tokens: cached,
            cache_write_tokens: written,
            cache_write_1h_tokens: share(hour, written),
          },
        };
        expect((await pricing.costOf(readBilledTokens(usage)!, claude)) ?? Infinity).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 50 },
    );
  });
});
