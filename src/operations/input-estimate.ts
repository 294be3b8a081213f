import { boundTokens, type TokenCount } from '../runtime/token-count.js';
import { billedTokens, type BilledUnits, type BilledUsage } from './billed-tokens.js';
import type { Estimate } from './operation.js';
import type { InputTokens } from './text-tokens.js';

/** The size of a request whose response has no tokens. */
export class InputEstimate implements Estimate {
  /** @param units what one attempt does not exceed beside tokens */
  constructor(
    private readonly input: InputTokens,
    private readonly units?: BilledUnits,
  ) {}

  likelyTokens(): TokenCount {
    return boundTokens(this.input.likely);
  }

  most(): BilledUsage {
    const tokens = billedTokens(boundTokens(this.input.most), boundTokens(0));
    return this.units === undefined ? tokens : { ...tokens, units: this.units };
  }
}
