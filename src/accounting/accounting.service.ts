import { BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { NOTHING_BILLED, type BilledUsage } from '../operations/billed-tokens.js';
import { BYTES_PER_TOKEN } from '../operations/text-tokens.js';
import { boundNanoDollars, NO_COST, type NanoDollars } from '../runtime/nano-dollars.js';
import { boundTokens, NO_TOKENS, type TokenCount } from '../runtime/token-count.js';
import { CallEvents } from '../calls/call-events.js';
import type { AttemptOutcome, CallOutcome } from '../calls/call-outcome.js';
import { describeError } from '../errors/describe-error.js';
import { Pricing } from '../pricing/pricing.service.js';
import { Routing } from '../routing/routing.service.js';
import { priceTierOf } from '../runtime/price-tier.js';
import { CostEstimator } from '../limits/cost-estimator.js';
import { countedUsage, type CountedUsage } from './counted-usage.js';
import type { UsageRecord } from '../usage/records/usage-record.entity.js';
import { UsageRecorder } from '../usage/records/usage-recorder.service.js';
import { timeOrderedId } from '../runtime/random-id.js';
import { SwapRemoveSet } from '../runtime/swap-remove-set.js';

const MAX_ERROR_CHARACTERS = 256;
const MAX_PROVIDER_CHARACTERS = 128;
const MAX_TIER_CHARACTERS = 64;

/** Turns the outcome of a call into usage: settles its reservations, and records it. */
@Injectable()
export class Accounting implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Usage');
  private readonly inFlight = new SwapRemoveSet<Promise<void>>();

  constructor(
    events: CallEvents,
    private readonly pricing: Pricing,
    private readonly routing: Routing,
    private readonly recorder: UsageRecorder,
    private readonly estimator: CostEstimator,
  ) {
    events.onEnded((outcome) => {
      const records = this.account(outcome).catch((error: unknown): UsageRecord[] => {
        this.logger.error({ msg: 'a call was not accounted for', error: describeError(error) });
        return [];
      });
      const { takeUsage } = outcome.context;
      if (takeUsage !== undefined) takeUsage(records.then((all) => this.recorder.handOver(all)));
      const done = records.then((all) => {
        if (takeUsage === undefined) for (const record of all) this.recorder.add(record);
      });
      const entry = this.inFlight.add(done);
      void done.then(() => this.inFlight.remove(entry));
    });
  }

  /** Runs before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.inFlight);
    await this.recorder.close();
  }

  /** Never rejects: a call that cannot be counted is charged its reservation. */
  private async account(outcome: CallOutcome): Promise<UsageRecord[]> {
    const { admission } = outcome;
    admission?.leave();
    // Requests refused by the gateway leave no record, so that a flood of them cannot fill the database.
    if (outcome.attempts.length === 0 && outcome.hookResponder === undefined) {
      await admission?.settle(NO_TOKENS, NO_COST);
      return [];
    }
    let records: UsageRecord[];
    try {
      records = await this.recordsOf(outcome);
    } catch (error) {
      this.logger.error({
        msg: 'a call could not be counted; its reservation is charged',
        request_id: outcome.context.requestId,
        error: describeError(error),
      });
      records = [this.uncounted(outcome)];
    }
    // Before the records are written, so that a balance that is opened from the records counts the call once.
    await admission?.settle(limitedTokens(records), costOf(records));
    return records;
  }

  private async recordsOf(outcome: CallOutcome): Promise<UsageRecord[]> {
    const last = outcome.attempts.at(-1);
    const counted = await countedUsage(outcome, () => this.worstCaseOf(outcome, last));
    const cost = await this.costOf(outcome, counted);
    const record = recordOf(outcome, outcome, outcome.attempts.length, counted, cost, last);
    record.listCostNanos = await this.listCostOf(outcome, counted, cost);
    return outcome.attempts.length <= 1 ? [record] : [...(await this.abandonedRecords(outcome)), record];
  }

  /** Records of attempts that were abandoned while the provider was working, after which the request was retried elsewhere. */
  private abandonedRecords(outcome: CallOutcome): Promise<UsageRecord[]> {
    const abandoned = outcome.attempts.slice(0, -1).filter(({ mayBeBilled }) => mayBeBilled);
    return Promise.all(
      abandoned.map(async (attempt) => {
        const recorded = { ...attempt, startedAt: outcome.startedAt, status: 'retried', firstByte: null } as const;
        const { consumed, deployment } = attempt;
        if (consumed !== undefined) {
          const price = await this.pricing.costOf(consumed, deployment);
          return recordOf(outcome, recorded, 1, { usage: consumed, basis: 'estimated' }, price, attempt);
        }
        const usage = this.worstCaseOf(outcome, attempt);
        const cost = await this.pricing.mostOf(usage, deployment);
        return recordOf(outcome, recorded, 1, { usage, basis: 'worst_case' }, cost, attempt);
      }),
    );
  }

  private worstCaseOf(outcome: CallOutcome, attempt: AttemptOutcome | undefined): BilledUsage {
    if (attempt === undefined) return NOTHING_BILLED;
    return this.estimator.mostOf(outcome, attempt.deployment, this.routing.maxOutputTokensOf(attempt.model));
  }

  /** Null when the price is unknown, 0 only when nothing was consumed. */
  private async costOf(outcome: CallOutcome, { usage, basis }: CountedUsage): Promise<NanoDollars | null> {
    const deployment = outcome.attempts.at(-1)?.deployment;
    if (deployment === undefined || (usage.totalTokens === 0 && usage.units === undefined)) return NO_COST;
    if (basis === 'reported') return outcome.costNanos();
    if (basis === 'worst_case') return this.pricing.mostOf(usage, deployment);
    return this.pricing.costOf(usage, deployment, priceTierOf(tierOf(outcome)));
  }

  /** What the same usage costs at the list price. Null when the price is unknown. */
  private async listCostOf(
    outcome: CallOutcome,
    { usage, basis }: CountedUsage,
    cost: NanoDollars | null,
  ): Promise<NanoDollars | null> {
    const deployment = outcome.attempts.at(-1)?.deployment;
    const tier = priceTierOf(tierOf(outcome));
    if (deployment === undefined || tier === undefined || basis === 'worst_case') return cost;
    return this.pricing.costOf(usage, deployment);
  }

  /** The record of a call that could not be counted. */
  private uncounted(outcome: CallOutcome): UsageRecord {
    const cost = outcome.admission?.reserved;
    const counted = { usage: NOTHING_BILLED, basis: 'worst_case' } as const;
    const last = outcome.attempts.at(-1);
    return recordOf(
      outcome,
      outcome,
      outcome.attempts.length,
      counted,
      cost === undefined || cost === 0 ? null : cost,
      last,
    );
  }
}

/** The service tier of a call, by the provider's name; a line of a provider's batch is billed as such. */
function tierOf({ context, collector }: Pick<CallOutcome, 'context' | 'collector'>): string | undefined {
  return context.deferred === undefined ? collector.serviceTier : 'batch';
}

function costOf(records: readonly UsageRecord[]): NanoDollars {
  return boundNanoDollars(records.reduce((sum, { costNanos }) => sum + (costNanos ?? 0), 0));
}

/** Tokens that count against the limit per minute: for a worst case, the likely number of prompt tokens. */
function limitedTokens(records: readonly UsageRecord[]): TokenCount {
  return boundTokens(
    records.reduce(
      (sum, { costBasis, promptTokens, completionTokens, totalTokens }) =>
        sum + (costBasis === 'worst_case' ? promptTokens / BYTES_PER_TOKEN + completionTokens : totalTokens),
      0,
    ),
  );
}

/** What is recorded of a request, or of one attempt of it. */
type Recorded = Pick<AttemptOutcome, 'startedAt' | 'firstByte' | 'duration' | 'error'> & {
  readonly status: UsageRecord['status'];
};

// Written out field by field: spreading objects costs V8 of Node 20 a new shape for each request.
function recordOf(
  { operation, request, context, isStream, hookResponder, collector }: CallOutcome,
  { startedAt, status, error, firstByte, duration }: Recorded,
  attempts: number,
  { usage, basis }: CountedUsage,
  costNanos: NanoDollars | null,
  attempt: Pick<AttemptOutcome, 'model' | 'deployment'> | undefined,
): UsageRecord {
  const { principal } = context;
  const { units } = usage;
  return {
    id: timeOrderedId('use_'),
    createdAt: startedAt,
    requestId: context.requestId.slice(0, 128),
    keyId: principal.keyId,
    groupId: principal.groupId,
    operation: operation.name,
    wireFormat: context.wireFormat ?? operation.wireFormatOf(request),
    source: context.source,
    requestedModel: request.model.slice(0, MAX_ERROR_CHARACTERS),
    model: (attempt?.model ?? hookResponder?.model ?? request.model).slice(0, MAX_ERROR_CHARACTERS),
    provider: attempt?.deployment.provider.name ?? hookResponder?.source.slice(0, MAX_PROVIDER_CHARACTERS) ?? null,
    upstreamModel: attempt?.deployment.upstreamModel.slice(0, MAX_ERROR_CHARACTERS) ?? null,
    isStream,
    status,
    httpStatus: isStream && firstByte !== null ? 200 : (error?.status ?? 200),
    errorCode: error?.code?.slice(0, 64) ?? null,
    attempts,
    promptTokens: usage.promptTokens,
    completionTokens: usage.completionTokens,
    totalTokens: usage.totalTokens,
    cachedTokens: usage.cachedTokens,
    cacheWriteTokens: usage.cacheWriteTokens,
    cacheWrite1hTokens: usage.cacheWrite1hTokens,
    reasoningTokens: usage.reasoningTokens,
    images: units?.images === undefined ? null : boundTokens(units.images),
    audioSeconds: units?.audioSeconds ?? null,
    characters: units?.characters === undefined ? null : boundTokens(units.characters),
    searchUnits: units?.searchUnits === undefined ? null : boundTokens(units.searchUnits),
    webSearches: units?.webSearches === undefined ? null : boundTokens(units.webSearches),
    serviceTier: status === 'retried' ? null : (tierOf({ context, collector })?.slice(0, MAX_TIER_CHARACTERS) ?? null),
    isEstimated: basis !== 'reported',
    costNanos,
    costBasis: basis,
    firstByteMs: firstByte === null ? null : Math.round(firstByte),
    durationMs: Math.round(duration),
    endUser: operation.endUserOf(request)?.slice(0, 512) ?? null,
    sessionId: context.session?.id ?? null,
    agentId: context.session?.agentId ?? null,
    metadata: operation.metadataOf(request),
  };
}
