import type { NanoDollars } from '../runtime/nano-dollars.js';
import type { PeriodSpan } from './period.js';

/** What accounts have spent by the usage records: the truth that budgets begin with. The usage records provide it. */
export abstract class SpendQuery {
  /** Writes the records that this process still holds. */
  abstract flush(): Promise<void>;

  /**
   * Billionths of a dollar that a key or a group has spent in a period, with the keys that it made.
   *
   * @throws the database's error when it cannot be asked
   */
  abstract total(account: string, period: PeriodSpan): Promise<NanoDollars>;
}
