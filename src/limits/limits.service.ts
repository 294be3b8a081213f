import { Injectable, Logger } from '@nestjs/common';
import { boundNanoDollars, MAX_NANO_DOLLARS, NO_COST, readDollars, type NanoDollars } from '../runtime/nano-dollars.js';
import { NO_TOKENS, type TokenCount } from '../runtime/token-count.js';
import type { Account, Budget, RateLimits } from '../auth/spending.js';
import { delay } from '../runtime/delay.js';
import { describeError } from '../errors/describe-error.js';
import { databaseUnavailable, isDatabaseUnavailable } from '../errors/database-error.js';
import { GatewayError, invalidRequest, upstreamUnavailable } from '../errors/gateway-error.js';
import type { Admission, AdmissionRequest } from './admission.js';
import { BudgetAlerts } from './budget-alerts.service.js';
import { BudgetLedger, type Reservation } from './budget-ledger.js';
import { ConcurrencyLeases, type Lease } from './concurrency-leases.js';
import type { Full, NoRoom } from './limit-store.js';
import { isCommandFault } from '../redis/redis-faults.js';
import {
  budgetRefusal,
  ownerInText,
  ownerOf,
  rateRefusal,
  unpricedRefusal,
  MIN_RETRY_AFTER_MS,
} from './limit-refusals.js';
import { budgetAt, type PeriodSpan } from './period.js';
import { fullWindowHeaders, rateLimitHeaders } from './rate-limit-headers.js';
import { RateWindows, type Taken } from './rate-windows.js';
import { CostEstimator, type CallEstimate } from './cost-estimator.js';

/** Longest wait of a call that may wait for a slot, and the usual interval between two checks, in milliseconds. */
const CONCURRENCY_WAIT_MS = 2_000;
const CONCURRENCY_POLL_MS = 50;

interface BudgetShare {
  readonly id: string;
  readonly budget: Budget;
  readonly period: PeriodSpan;
  readonly amount: NanoDollars;
  /** One for each attempt that may be billed. */
  readonly reservations: Reservation[];
}

interface Reserved {
  readonly leases: Lease[];
  readonly requests: Taken[];
  readonly tokens: Taken[];
  readonly budgets: BudgetShare[];
}

/** Admits a call if the limits and budgets of key, group and model cover its upper bound, and settles it with the actual usage. */
@Injectable()
export class Limits {
  private readonly logger = new Logger('Limits');

  constructor(
    private readonly windows: RateWindows,
    private readonly concurrency: ConcurrencyLeases,
    private readonly ledger: BudgetLedger,
    private readonly estimator: CostEstimator,
    private readonly alerts: BudgetAlerts,
  ) {}

  /**
   * Returns undefined synchronously if nothing is limited.
   *
   * @throws GatewayError 429 when a limit or budget is reached, 403 for a model without a price, 503 when the sums cannot be read
   */
  admit(call: AdmissionRequest): Promise<Admission> | undefined {
    const { model, accounts } = call;
    if (model.accounts.length === 0 && accounts.length === 0) return undefined;
    return this.reserveAll(call, [...accounts, ...model.accounts]);
  }

  private async reserveAll(call: AdmissionRequest, accounts: readonly Account[]): Promise<Admission> {
    const taken: Reserved = { leases: [], requests: [], tokens: [], budgets: [] };
    const estimate = this.estimator.of(call);
    try {
      if (call.isMade !== true) await this.takeRates(accounts, call, estimate, taken);
      for (const account of accounts) await this.takeBudget(account, call, estimate, taken);
    } catch (error) {
      await this.release(taken);
      throw isCommandFault(error) ? this.limitsUnavailable(error) : error;
    }
    let isSettled = false;
    return {
      headers: rateLimitHeaders(taken),
      leave: () => this.leave(taken),
      settle: async (tokens, cost) => {
        if (isSettled) return;
        isSettled = true;
        try {
          await this.settle(taken, tokens, cost);
        } catch (error) {
          this.logger.error({ msg: 'a call was not settled with its limits', error: describeError(error) });
        }
      },
      coverAnother: () => this.coverAnother(taken),
      get reserved() {
        const each = taken.budgets.map(({ amount, reservations }) => amount * reservations.length);
        return boundNanoDollars(Math.max(0, ...each));
      },
    };
  }

  private async takeRates(
    accounts: readonly Account[],
    call: AdmissionRequest,
    estimate: CallEstimate,
    taken: Reserved,
  ): Promise<void> {
    for (const { id, limits } of accounts) {
      if (limits !== null) await this.takeConcurrency(id, limits, call, estimate, taken);
    }
    for (const { id, limits } of accounts) {
      if (limits !== null) await this.takeRequests(id, limits, call, estimate, taken);
    }
    for (const { id, limits } of accounts) {
      if (limits !== null) await this.takeTokens(id, limits, call, estimate, taken);
    }
  }

  private async takeConcurrency(
    id: string,
    { concurrency }: RateLimits,
    call: AdmissionRequest,
    { calls }: CallEstimate,
    { leases }: Reserved,
  ): Promise<void> {
    if (concurrency === undefined) return;
    if (calls > concurrency) {
      throw invalidRequest(
        `'n' is ${calls}, and each answer is a call of its own, but ${ownerInText(id, call)} may make ${concurrency} at once. Ask for fewer answers.`,
        'n',
      );
    }
    const deadline = performance.now() + (call.mayWait ? CONCURRENCY_WAIT_MS : 0);
    for (;;) {
      const lease = await this.concurrency.take(id, concurrency, calls);
      if (lease !== undefined) {
        leases.push(lease);
        return;
      }
      if (performance.now() >= deadline)
        throw rateRefusal(`${concurrency} requests at once`, ownerOf(id, call), MIN_RETRY_AFTER_MS);
      await delay(CONCURRENCY_POLL_MS * (0.5 + Math.random()), call.signal);
    }
  }

  private async takeRequests(
    id: string,
    { rpm }: RateLimits,
    call: AdmissionRequest,
    { calls }: CallEstimate,
    { requests }: Reserved,
  ): Promise<void> {
    if (rpm === undefined) return;
    const taken = await this.windows.take(`requests:${id}`, rpm, calls);
    if (isFull(taken)) {
      const headers = fullWindowHeaders('requests', rpm, taken);
      throw rateRefusal(`${rpm} requests a minute`, ownerOf(id, call), taken.retryAfterMs, headers);
    }
    requests.push(taken);
  }

  private async takeTokens(
    id: string,
    { tpm }: RateLimits,
    call: AdmissionRequest,
    estimate: CallEstimate,
    { tokens }: Reserved,
  ): Promise<void> {
    if (tpm === undefined) return;
    const taken = await this.windows.take(`tokens:${id}`, tpm, estimate.likelyTokens());
    if (isFull(taken)) {
      const headers = fullWindowHeaders('tokens', tpm, taken);
      throw rateRefusal(`${tpm} tokens a minute`, ownerOf(id, call), taken.retryAfterMs, headers);
    }
    tokens.push(taken);
  }

  private async takeBudget(
    account: Account,
    call: AdmissionRequest,
    estimate: CallEstimate,
    { budgets }: Reserved,
  ): Promise<void> {
    const { id } = account;
    const present = budgetAt(account, call.startedAt);
    if (present === undefined) return;
    const { budget, period } = present;
    const amount = await estimate.cost();
    if (amount === null) {
      if (budget.allow_unpriced === true || call.isMade === true) return;
      throw unpricedRefusal(call.model, estimate.unpriced ?? call.model, ownerOf(id, call));
    }
    const share: BudgetShare = { id, budget, period, amount, reservations: [] };
    const outcome = await this.reserve(
      share,
      call.isMade === true ? MAX_NANO_DOLLARS : limitOf(budget),
      call.reservationId,
    );
    if ('field' in outcome) {
      share.reservations.push(outcome);
      budgets.push(share);
    } else {
      this.alerts.refused({ account: id, period }, budget, outcome.spent);
      throw budgetRefusal(outcome, { owner: ownerOf(id, call), budget, amount, limit: limitOf(budget), period });
    }
  }

  private async reserve(
    { id, budget, period, amount }: BudgetShare,
    limit = limitOf(budget),
    reservationId?: string,
  ): Promise<Reservation | NoRoom> {
    try {
      return await this.ledger.reserve(id, period, amount, limit, reservationId);
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      throw databaseUnavailable(
        error,
        'The budget cannot be checked because the database is not reachable. Retry shortly.',
      );
    }
  }

  private async coverAnother({ budgets }: Reserved): Promise<boolean> {
    try {
      for (const share of budgets) {
        const outcome = await this.reserve(share);
        if (!('field' in outcome)) return false;
        share.reservations.push(outcome);
      }
      return true;
    } catch (error) {
      this.logger.warn({
        msg: 'a further attempt is not made: its budget cannot be checked',
        error: describeError(error),
      });
      return false;
    }
  }

  /** Redis is reachable, but refuses what this request needs: admitting it would bypass its limits. */
  private limitsUnavailable(cause: unknown): GatewayError {
    this.logger.error({ msg: 'limits cannot be checked', error: describeError(cause) });
    return upstreamUnavailable({
      message: 'The limits of this key cannot be checked now. Retry shortly.',
      retryAfterMs: 1_000,
      rejectedByGateway: true,
      cause,
    });
  }

  private leave({ leases }: Reserved): void {
    for (const lease of leases.splice(0)) this.concurrency.free(lease);
  }

  private async settle(taken: Reserved, tokens: TokenCount, cost: NanoDollars): Promise<void> {
    this.leave(taken);
    const failures: unknown[] = [];
    for (const { budget, reservations } of taken.budgets) {
      for (const [index, reservation] of reservations.entries()) {
        try {
          const spent = await this.ledger.settle(reservation, index === 0 ? cost : NO_COST);
          if (spent !== undefined && index === 0) this.alerts.watch(reservation, budget, spent);
        } catch (error) {
          failures.push(error);
        }
      }
    }
    for (const each of taken.tokens) await this.windows.correct(each, tokens);
    if (failures.length > 0) throw failures[0];
  }

  /** The call was not made: its request does not count. */
  private async release(taken: Reserved): Promise<void> {
    for (const each of taken.requests) await this.windows.correct(each, 0);
    await this.settle(taken, NO_TOKENS, NO_COST).catch((error: unknown) => {
      this.logger.error({ msg: 'reservations could not be released', error: describeError(error) });
    });
  }
}

/** A budget that is not a number, because the database was edited by hand, admits nothing. */
function limitOf({ usd }: Budget): NanoDollars {
  return readDollars(usd) ?? NO_COST;
}

function isFull(outcome: Taken | Full): outcome is Full {
  return 'retryAfterMs' in outcome;
}
