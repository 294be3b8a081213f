import { BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { CallEvents } from '../chat/call-events.js';
import type { AttemptOutcome, CallOutcome } from '../chat/call-outcome.js';
import { describeError } from '../errors/describe-error.js';
import { ModelsService } from '../models/models.service.js';
import { promptOnly, tokenCounts, usageOf } from './records/token-counts.js';
import type { TokenCounts, UsageRecord } from './records/usage-record.entity.js';
import { UsageRecorder } from './records/usage-recorder.service.js';
import { timeOrderedId } from '../ids/random-id.js';
import { Roster } from '../roster/roster.js';

const LONGEST = 256;

/** Turns how a call ended into what it consumed: settles what was set aside for it, and records it. */
@Injectable()
export class Accounting implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Usage');
  private readonly underWay = new Roster<Promise<void>>();

  constructor(
    events: CallEvents,
    private readonly models: ModelsService,
    private readonly recorder: UsageRecorder,
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
      const entry = this.underWay.add(done);
      void done.then(() => this.underWay.remove(entry));
    });
  }

  /** Before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.underWay);
    await this.recorder.close();
  }

  private async account(outcome: CallOutcome): Promise<UsageRecord[]> {
    const { admission } = outcome;
    admission?.leave();
    // A refusal of the gateway itself leaves no record: a flood of them must not fill the database.
    if (outcome.attempts.length === 0) {
      admission?.settle(0, 0);
      return [];
    }
    try {
      const counts = await tokenCounts(outcome);
      const costNanos = await this.costOf(outcome, counts);
      const record = toRecord(outcome, counts, costNanos);
      if (outcome.attempts.length === 1) {
        admission?.settle(counts.totalTokens, costNanos ?? 0);
        return [record];
      }
      const records = [...(await this.givenUp(outcome)), record];
      admission?.settle(sum(records, 'totalTokens'), sum(records, 'costNanos'));
      return records;
    } catch (error) {
      // What was set aside must not stay so for good.
      admission?.settle(0, 0);
      throw error;
    }
  }

  /** Records of attempts that were given up while the provider was at work, and after which the request went on elsewhere. */
  private async givenUp(outcome: CallOutcome): Promise<UsageRecord[]> {
    const givenUp = outcome.attempts.slice(0, -1).filter(({ hadBegun }) => hadBegun);
    if (givenUp.length === 0) return [];
    const counts = await promptOnly(outcome.request);
    return Promise.all(
      givenUp.map(async (attempt) => {
        const cost = await this.models.costOf(usageOf(counts), attempt.deployment);
        return recordOf(outcome, { ...attempt, status: 'retried', firstByte: null }, 1, counts, toNanos(cost), attempt);
      }),
    );
  }

  /** Billionths of a dollar; null when the price is unknown, 0 only when nothing was consumed. */
  private async costOf({ attempts, usage, cost: known }: CallOutcome, counts: TokenCounts): Promise<number | null> {
    const deployment = attempts.at(-1)?.deployment;
    if (counts.totalTokens === 0 || deployment === undefined) return 0;
    return toNanos(await (usage === undefined ? this.models.costOf(usageOf(counts), deployment) : known()));
  }
}

function toNanos(dollars: number | null): number | null {
  return dollars === null ? null : Math.round(dollars * 1e9);
}

function sum(records: readonly UsageRecord[], column: 'totalTokens' | 'costNanos'): number {
  return records.reduce((total, record) => total + (record[column] ?? 0), 0);
}

/** Of the whole request, by the attempt that answered it or failed last. */
function toRecord(outcome: CallOutcome, counts: TokenCounts, costNanos: number | null): UsageRecord {
  return recordOf(outcome, outcome, outcome.attempts.length, counts, costNanos, outcome.attempts.at(-1));
}

/** What a record says of a request, or of one attempt of it. */
type Recorded = Pick<AttemptOutcome, 'startedAt' | 'firstByte' | 'duration' | 'error'> & {
  readonly status: UsageRecord['status'];
};

// Written out field by field: an object that others are spread into costs V8 of Node 20 a new shape for each request.
function recordOf(
  { request, context, isStream }: CallOutcome,
  { startedAt, status, error, firstByte, duration }: Recorded,
  attempts: number,
  counts: TokenCounts,
  costNanos: number | null,
  attempt: Pick<AttemptOutcome, 'model' | 'deployment'> | undefined,
): UsageRecord {
  const { principal } = context;
  return {
    id: timeOrderedId('use_'),
    createdAt: startedAt,
    requestId: context.requestId.slice(0, 128),
    keyId: principal.keyId,
    groupId: principal.groupId,
    source: context.source,
    requestedModel: request.model.slice(0, LONGEST),
    model: (attempt?.model ?? request.model).slice(0, LONGEST),
    provider: attempt?.deployment.provider.name ?? null,
    upstreamModel: attempt?.deployment.upstreamModel.slice(0, LONGEST) ?? null,
    isStream,
    status,
    httpStatus: isStream && firstByte !== null ? 200 : (error?.status ?? 200),
    errorCode: error?.code?.slice(0, 64) ?? null,
    attempts,
    promptTokens: counts.promptTokens,
    completionTokens: counts.completionTokens,
    totalTokens: counts.totalTokens,
    cachedTokens: counts.cachedTokens,
    reasoningTokens: counts.reasoningTokens,
    isEstimated: counts.isEstimated,
    costNanos,
    firstByteMs: firstByte === null ? null : Math.round(firstByte),
    durationMs: Math.round(duration),
    endUser: typeof request.user === 'string' ? request.user.slice(0, 512) : null,
    metadata: request.metadata ?? null,
  };
}
