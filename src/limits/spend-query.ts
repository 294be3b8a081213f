import type { NanoDollars } from '../runtime/nano-dollars.js';
import type { PeriodSpan } from './period.js';

/** The spent amounts of accounts according to the usage records, with which balances start. Implemented by the usage module. */
export abstract class SpendQuery {
  /** Writes the records that this process has not stored yet. */
  abstract flush(): Promise<void>;

  /**
   * Billionths of a dollar that a key or a group has spent in a period, including the keys that it created.
   *
   * @throws the database's error when it cannot be queried
   */
  abstract total(account: string, period: PeriodSpan): Promise<NanoDollars>;
}
