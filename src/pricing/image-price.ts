import type { ImageKind } from '../operations/billed-tokens.js';

/** The price of an image in US dollars. What is undefined holds for any. */
export interface ImagePrice {
  readonly size?: string | undefined;
  readonly quality?: string | undefined;
  readonly perImage: number;
}

/**
 * US dollars for one image. A price fits where what it names is what the image has; of those that fit, the one that names more
 * applies. Where the model chose the size or the quality, it is the highest that is possible. Undefined where none fits.
 */
export function imagePriceOf(kind: ImageKind | undefined, prices: readonly ImagePrice[]): number | undefined {
  const size = chosen(kind?.size);
  const quality = chosen(kind?.quality);
  let best: ImagePrice | undefined;
  for (const price of prices) {
    if (!fits(price.size, size) || !fits(price.quality, quality)) continue;
    const isOpen = size === undefined || quality === undefined;
    if (best === undefined || (isOpen ? price.perImage > best.perImage : detailOf(price) > detailOf(best)))
      best = price;
  }
  return best?.perImage;
}

/** Undefined where the model chooses. */
function chosen(value: string | undefined): string | undefined {
  return value === 'auto' ? undefined : value;
}

function fits(named: string | undefined, has: string | undefined): boolean {
  return named === undefined || has === undefined || named === has;
}

function detailOf({ size, quality }: ImagePrice): number {
  return (size === undefined ? 0 : 1) + (quality === undefined ? 0 : 1);
}
