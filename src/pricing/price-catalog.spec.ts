import {
  billedTokens,
  NOTHING_BILLED,
  type BilledUnits,
  type BilledUsage,
  type ImageKind,
  type ModalityTokens,
} from '../operations/billed-tokens.js';
import { PROVIDER_DEFINITIONS } from '../providers/definitions/registry.js';
import { boundTokens } from '../runtime/token-count.js';
import { PriceCatalog } from './price-catalog.js';

const OPENAI = 'https://api.openai.com/v1';
const usage = billedTokens(boundTokens(1_000), boundTokens(100));

describe('KnownModels', () => {
  const known = new PriceCatalog();

  it('knows price and context length of a well-known model', async () => {
    const price = await known.priceOf(OPENAI, 'gpt-5-mini');
    expect(price?.prompt).toBeGreaterThan(0);
    expect(price?.completion).toBeGreaterThan(price?.prompt ?? 0);
    const facts = await known.factsOf(OPENAI, 'gpt-5-mini');
    expect(facts.contextLength).toBeGreaterThan(100_000);
    expect(facts.capabilities).toContain('tools');
  });

  it('counts what the list price says, and cached tokens for less', async () => {
    const price = await known.priceOf(OPENAI, 'gpt-5-mini');
    const cost = await known.costOf(usage, OPENAI, 'gpt-5-mini');
    expect((cost ?? 0) / 1e9).toBeCloseTo(1_000 * (price?.prompt ?? 0) + 100 * (price?.completion ?? 0), 8);
    const cached = { ...usage, cachedTokens: boundTokens(900) };
    expect(await known.costOf(cached, OPENAI, 'gpt-5-mini')).toBeLessThan(cost ?? 0);
  });

  it('counts what Anthropic puts into its cache for more, and knows the clouds by their addresses', async () => {
    const anthropic = 'https://api.anthropic.com/v1';
    const plain = (await known.costOf(usage, anthropic, 'claude-sonnet-4-5')) ?? 0;
    const written = { ...usage, cacheWriteTokens: boundTokens(900) };
    expect(await known.costOf(written, anthropic, 'claude-sonnet-4-5')).toBeGreaterThan(plain);
    const bedrock = 'https://bedrock-runtime.us-east-1.amazonaws.com';
    expect(await known.costOf(usage, bedrock, 'us.amazon.nova-lite-v1:0')).toBeGreaterThan(0);
    expect(await known.costOf(usage, 'https://aiplatform.googleapis.com', 'gemini-2.5-pro')).toBeGreaterThan(0);
  });

  it('says null, never 0, of a model or a server that it does not know', async () => {
    expect(await known.costOf(usage, OPENAI, 'no-such-model')).toBeNull();
    expect(await known.priceOf(OPENAI, 'no-such-model')).toBeNull();
    expect(await known.costOf(usage, 'http://127.0.0.1:11434/v1', 'gpt-5-mini')).toBeNull();
    expect(await known.priceOf('http://127.0.0.1:11434/v1', 'gpt-5-mini')).toBeNull();
    expect(await known.factsOf('http://127.0.0.1:11434/v1', 'gpt-5-mini')).toEqual({});
    expect(await known.factsOf('', 'echo')).toEqual({});
  });

  it('has a catalogue for every provider that it names', async () => {
    for (const { baseUrl = '', priceId } of PROVIDER_DEFINITIONS) {
      if (baseUrl === '' || priceId === undefined) continue;
      await expect(known.factsOf(baseUrl, 'no-such-model')).resolves.toEqual({});
      await expect(known.priceOf(baseUrl, 'no-such-model')).resolves.toBeNull();
    }
  });

  it('knows what images, recordings and speech cost at OpenAI', async () => {
    const units = (own: BilledUnits, imageKind?: ImageKind): BilledUsage => ({
      ...NOTHING_BILLED,
      units: own,
      ...(imageKind && { imageKind }),
    });
    const costOf = (of: BilledUsage, model: string): Promise<number | null> => known.costOf(of, OPENAI, model);
    expect(await costOf(units({ audioSeconds: 90 }), 'whisper-1')).toBe(9_000_000);
    expect(await costOf(units({ characters: 1_000 }), 'tts-1')).toBe(15_000_000);
    expect(await costOf(units({ characters: 1_000 }), 'tts-1-hd')).toBe(30_000_000);
    expect(await costOf(units({ images: 2 }, { size: undefined, quality: undefined }), 'dall-e-3')).toBe(80_000_000);
    expect(await costOf(units({ images: 1 }, { size: '1792x1024', quality: 'hd' }), 'dall-e-3')).toBe(120_000_000);
    expect(await costOf(units({ images: 1 }, { size: '256x256', quality: undefined }), 'dall-e-2')).toBe(16_000_000);
    expect(await costOf(units({ audioSeconds: 90 }), 'gpt-4o')).toBeNull();
    expect(await costOf(units({ characters: 90 }), 'gpt-4o')).toBeNull();
    const modalities = (imageInput: number, audioInput: number, audioOutput: number): ModalityTokens => ({
      imageInput: boundTokens(imageInput),
      audioInput: boundTokens(audioInput),
      imageOutput: boundTokens(0),
      audioOutput: boundTokens(audioOutput),
    });
    // 600 of text and 400 of pictures at $5 and $10 a million, 100 at $40.
    expect(await costOf({ ...usage, modalities: modalities(400, 0, 0), units: { images: 1 } }, 'gpt-image-1')).toBe(
      600 * 5_000 + 400 * 10_000 + 100 * 40_000,
    );
    expect(
      await costOf(
        { ...usage, modalities: modalities(0, 1_000, 0), units: { audioSeconds: 100 } },
        'gpt-4o-transcribe',
      ),
    ).toBe(1_000 * 6_000 + 100 * 10_000);
    expect(
      await costOf({ ...usage, modalities: modalities(0, 0, 100), units: { characters: 5 } }, 'gpt-4o-mini-tts'),
    ).toBe(1_000 * 600 + 100 * 12_000);
  });
});
