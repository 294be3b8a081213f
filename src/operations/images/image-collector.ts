import { nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { boundTokens } from '../../runtime/token-count.js';
import { NOTHING_BILLED, type BilledUsage } from '../billed-tokens.js';
import type { RecordingDetail } from '../operation.js';
import { MediaCollector } from '../media/media-collector.js';
import { readMediaTokens } from '../media/read-media-usage.js';
import type { ImageRequest } from './image-request.js';

/** Counts the images of a response, and reads what it says of them. Previews are billed with their image. */
export class ImageCollector extends MediaCollector {
  private images = 0;
  private size: string | undefined;
  private quality: string | undefined;
  private tokens: BilledUsage | undefined;

  constructor({ size, quality }: Pick<ImageRequest, 'size' | 'quality'>, detail: RecordingDetail) {
    super(detail === 'content');
    this.size = size;
    this.quality = quality;
  }

  get billed(): BilledUsage | undefined {
    const { images, size, quality, tokens } = this;
    if (images === 0) return tokens;
    return { ...(tokens ?? NOTHING_BILLED), units: { images }, imageKind: { size, quality } };
  }

  protected override readJson(json: JsonObject): void {
    const { type, data } = json;
    if (Array.isArray(data)) this.images += data.length;
    else if (typeof type === 'string' && type.endsWith('.completed')) this.images += 1;
    else return;
    super.readJson(json);
    this.size = nonEmptyString(json['size']) ?? this.size;
    this.quality = nonEmptyString(json['quality']) ?? this.quality;
    const tokens = readMediaTokens(json['usage'], 'image');
    if (tokens !== undefined) this.tokens = this.tokens === undefined ? tokens : sumOf(this.tokens, tokens);
  }

  protected override content(): JsonObject {
    return { images: this.images, size: this.size, quality: this.quality };
  }
}

/** A stream reports the usage of each of its images. */
function sumOf(first: BilledUsage, second: BilledUsage): BilledUsage {
  const { modalities: one, ...a } = first;
  const { modalities: other, ...b } = second;
  return {
    ...add(a, b),
    ...(one !== undefined && other !== undefined && { modalities: add(one, other) }),
  };
}

function add<Counts extends object>(first: Counts, second: Counts): Counts {
  const sum: Record<string, unknown> = {};
  const others = new Map<string, unknown>(Object.entries(second));
  for (const [name, count] of Object.entries(first)) sum[name] = boundTokens(Number(count) + Number(others.get(name)));
  return sum as Counts;
}
