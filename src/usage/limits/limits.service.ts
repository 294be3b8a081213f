import { Injectable, Logger } from '@nestjs/common';
import type { Account, Budget, RateLimits } from '../../auth/spending.js';
import type { Cancellation } from '../../chat/cancellation.js';
import type { ChatRequest } from '../../chat/chat-completion.js';
import { pause } from '../../chat/pause.js';
import { describeError } from '../../errors/describe-error.js';
import { databaseUnavailable } from '../../errors/database-error.js';
import { GatewayError, permissionDenied, rateLimitExceeded } from '../../errors/gateway-error.js';
import type { Deployment, ResolvedModel } from '../../models/resolved-model.js';
import { BudgetAlerts } from './budget-alerts.service.js';
import { BudgetLedger, type Reservation } from './budget-ledger.js';
import { ConcurrencyLeases, type Lease } from './concurrency-leases.js';
import { durationText } from './duration-text.js';
import type { Full, NoRoom } from './limit-store.js';
import { periodAt, type PeriodSpan } from './period.js';
import { RateWindows, type Taken } from './rate-windows.js';
import { WorstCase } from './worst-case.js';

const NANOS = 1e9;
/** When a place is likely to be free again, for whoever is refused one, in milliseconds. */
const SOON = 250;
/** Longest wait of the patient for a place, and the usual time between two looks, in milliseconds. */
const PATIENCE = 2_000;
const NEXT_LOOK = 50;

/** Everything that was set aside for one call. */
export interface Admission {
  /** `x-ratelimit-*`, of whichever limit is the nearest. */
  readonly headers: Readonly<Record<string, string>>;
  /** Frees its places among the requests under way; what it used may take a while to be counted. */
  leave(): void;
  /** Leaves, gives back what was set aside, and keeps what was used. Only the first time counts. */
  settle(tokens: number, costNanos: number): void;
}

export interface AdmissionRequest {
  readonly request: ChatRequest;
  readonly accounts: readonly Account[];
  readonly model: ResolvedModel;
  /** Whether nobody minds a short wait for a place, as with the tasks of batches. */
  readonly isPatient: boolean;
  readonly signal: Cancellation;
  /** All that may answer, those of fallbacks as well. */
  readonly deployments: () => readonly Deployment[];
}

interface SetAside {
  readonly leases: Lease[];
  readonly requests: Taken[];
  readonly tokens: Taken[];
  readonly budgets: { reservation: Reservation; budget: Budget }[];
}

/** Lets a call in if key, group and model have room for its worst case, and settles by what it really came to. */
@Injectable()
export class Limits {
  private readonly logger = new Logger('Limits');

  constructor(
    private readonly windows: RateWindows,
    private readonly concurrency: ConcurrencyLeases,
    private readonly ledger: BudgetLedger,
    private readonly worstCase: WorstCase,
    private readonly alerts: BudgetAlerts,
  ) {}

  /**
   * Undefined at once where nothing is limited, which costs nothing.
   *
   * @throws GatewayError 429 when there is no room, 403 for a model without a price, 503 when the sums cannot be read
   */
  admit(call: AdmissionRequest): Promise<Admission> | undefined {
    const { model, accounts } = call;
    if (model.accounts.length === 0 && accounts.length === 0) return undefined;
    return this.setAside(call, [...accounts, ...model.accounts]);
  }

  private async setAside(call: AdmissionRequest, accounts: readonly Account[]): Promise<Admission> {
    const taken: SetAside = { leases: [], requests: [], tokens: [], budgets: [] };
    try {
      for (const { id, limits } of accounts) if (limits !== null) await this.takeConcurrency(id, limits, call, taken);
      for (const { id, limits } of accounts) if (limits !== null) await this.takeRequest(id, limits, taken);
      for (const { id, limits } of accounts) if (limits !== null) await this.takeTokens(id, limits, call, taken);
      for (const { id, budget } of accounts) if (budget !== null) await this.takeBudget(id, budget, call, taken);
    } catch (error) {
      await this.giveBack(taken);
      throw error;
    }
    let isSettled = false;
    return {
      headers: headersOf(taken),
      leave: () => this.leave(taken),
      settle: (tokens, costNanos) => {
        if (isSettled) return;
        isSettled = true;
        this.settle(taken, tokens, costNanos).catch((error: unknown) => {
          this.logger.error({ msg: 'a call was not settled with its limits', error: describeError(error) });
        });
      },
    };
  }

  private async takeConcurrency(
    id: string,
    { concurrency }: RateLimits,
    { isPatient, signal }: AdmissionRequest,
    { leases }: SetAside,
  ): Promise<void> {
    if (concurrency === undefined) return;
    const patience = performance.now() + (isPatient ? PATIENCE : 0);
    for (;;) {
      const lease = await this.concurrency.take(id, concurrency);
      if (lease !== undefined) {
        leases.push(lease);
        return;
      }
      if (performance.now() >= patience) throw refusal(`${concurrency} requests at once`, id, SOON);
      await pause(NEXT_LOOK * (0.5 + Math.random()), signal);
    }
  }

  private async takeRequest(id: string, { rpm }: RateLimits, { requests }: SetAside): Promise<void> {
    if (rpm === undefined) return;
    const taken = await this.windows.take(`requests:${id}`, rpm, 1);
    if (isFull(taken))
      throw refusal(`${rpm} requests a minute`, id, taken.retryAfter, windowHeaders('requests', rpm, taken));
    requests.push(taken);
  }

  private async takeTokens(
    id: string,
    { tpm }: RateLimits,
    call: AdmissionRequest,
    { tokens }: SetAside,
  ): Promise<void> {
    if (tpm === undefined) return;
    const taken = await this.windows.take(`tokens:${id}`, tpm, this.worstCase.likelyTokens(call));
    if (isFull(taken))
      throw refusal(`${tpm} tokens a minute`, id, taken.retryAfter, windowHeaders('tokens', tpm, taken));
    tokens.push(taken);
  }

  private async takeBudget(id: string, budget: Budget, call: AdmissionRequest, { budgets }: SetAside): Promise<void> {
    const amount = await this.worstCase.cost(call);
    if (amount === null) {
      if (budget.allow_unpriced === true) return;
      throw permissionDenied(
        `The price of '${call.model.id}' is not known, and this key has a budget. Ask the operator to set the model's price, or allow_unpriced in the budget.`,
        'model_unpriced',
        'model',
      );
    }
    const period = periodAt(budget.period, Date.now());
    const limit = Math.round(budget.usd * NANOS);
    let outcome: Reservation | NoRoom;
    try {
      outcome = await this.ledger.reserve(id, period, amount, limit);
    } catch (error) {
      throw databaseUnavailable(
        error,
        'The budget cannot be checked because the database is not reachable. Retry shortly.',
      );
    }
    if ('amount' in outcome) budgets.push({ reservation: outcome, budget });
    else throw budgetRefusal(outcome, { id, budget, amount, limit, period });
  }

  private leave({ leases }: SetAside): void {
    for (const lease of leases.splice(0)) this.concurrency.free(lease);
  }

  private async settle(taken: SetAside, tokens: number, costNanos: number): Promise<void> {
    this.leave(taken);
    for (const each of taken.tokens) await this.windows.correct(each, tokens);
    for (const { reservation, budget } of taken.budgets) {
      const spent = await this.ledger.settle(reservation, costNanos);
      if (spent !== undefined) this.alerts.watch(reservation, budget, spent);
    }
  }

  /** The call did not come about: its request counts for nothing either. */
  private async giveBack(taken: SetAside): Promise<void> {
    for (const each of taken.requests) await this.windows.correct(each, 0);
    await this.settle(taken, 0, 0);
  }
}

function isFull(outcome: Taken | Full): outcome is Full {
  return 'retryAfter' in outcome;
}

function refusal(what: string, id: string, milliseconds: number, headers: Record<string, string> = {}): GatewayError {
  const whole = Math.ceil(milliseconds);
  const error = rateLimitExceeded({
    message: `${ownerOf(id)} may make ${what}. Retry after ${Math.ceil(whole / 1_000)} s.`,
    retryAfterMs: whole,
    isOwnRefusal: true,
  });
  return new GatewayError({ ...error, message: error.message, headers: { ...headers, ...error.headers } });
}

function budgetRefusal(
  { spent, reserved }: NoRoom,
  {
    id,
    budget,
    amount,
    limit,
    period,
  }: { id: string; budget: Budget; amount: number; limit: number; period: PeriodSpan },
): GatewayError {
  if (reserved > 0 && spent + amount <= limit) {
    return rateLimitExceeded({
      message: `What is left of the budget of ${ownerOf(id).toLowerCase()} is set aside for requests under way. Retry in a moment.`,
      retryAfterMs: SOON,
      isOwnRefusal: true,
    });
  }
  const ends = period.end === Infinity ? '' : ` until ${new Date(period.end).toISOString()}`;
  return new GatewayError({
    status: 429,
    type: 'insufficient_quota',
    code: 'insufficient_quota',
    message: `${ownerOf(id)} has spent ${dollars(spent)} of its budget of ${dollars(limit)} dollars (${budget.period})${ends}, and this request may cost up to ${dollars(amount)}. Ask for fewer tokens, or ask the operator for a higher budget.`,
    headers: { 'x-should-retry': 'false' },
  });
}

function ownerOf(id: string): string {
  if (id.startsWith('group_')) return "This key's group";
  return id.startsWith('model:') ? 'This model' : 'This key';
}

function dollars(nanos: number): string {
  return String(Math.round(nanos / 1_000) / 1_000_000);
}

function headersOf({ requests, tokens }: SetAside): Record<string, string> {
  const headers: Record<string, string> = {};
  addNearest(headers, 'requests', requests);
  addNearest(headers, 'tokens', tokens);
  return headers;
}

function addNearest(headers: Record<string, string>, kind: 'requests' | 'tokens', taken: readonly Taken[]): void {
  let nearest = taken[0];
  if (nearest === undefined) return;
  for (const each of taken) if (each.remaining < nearest.remaining) nearest = each;
  addRateHeaders(headers, kind, nearest.limit, nearest.remaining, nearest.endsAt - Date.now());
}

function windowHeaders(kind: 'requests' | 'tokens', limit: number, { retryAfter }: Full): Record<string, string> {
  const headers: Record<string, string> = {};
  addRateHeaders(headers, kind, limit, 0, retryAfter);
  return headers;
}

function addRateHeaders(
  headers: Record<string, string>,
  kind: string,
  limit: number,
  remaining: number,
  reset: number,
): void {
  headers[`x-ratelimit-limit-${kind}`] = String(limit);
  headers[`x-ratelimit-remaining-${kind}`] = String(remaining);
  headers[`x-ratelimit-reset-${kind}`] = durationText(reset);
}
