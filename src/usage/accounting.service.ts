import { BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { CallEvents } from '../chat/call-events.js';
import type { AttemptOutcome, CallOutcome } from '../chat/call-outcome.js';
import { describeError } from '../errors/describe-error.js';
import { ModelsService } from '../models/models.service.js';
import { promptOnly, tokenCounts, usageOf } from './records/token-counts.js';
import type { TokenCounts, UsageRecord } from './records/usage-record.entity.js';
import { UsageRecorder } from './records/usage-recorder.service.js';
import { randomId } from '../ids/random-id.js';

const LONGEST = 256;

/** Turns how a call ended into what it consumed: settles what was set aside for it, and records it. */
@Injectable()
export class Accounting implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Usage');
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    events: CallEvents,
    private readonly models: ModelsService,
    private readonly recorder: UsageRecorder,
  ) {
    events.onEnded((outcome) => {
      const done = this.account(outcome).catch((error: unknown) => {
        this.logger.error({ msg: 'a call was not accounted for', error: describeError(error) });
      });
      this.underWay.add(done);
      void done.finally(() => this.underWay.delete(done));
    });
  }

  /** Before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.underWay);
    await this.recorder.close();
  }

  private async account(outcome: CallOutcome): Promise<void> {
    const { admission } = outcome;
    // A refusal of the gateway itself leaves no record: a flood of them must not fill the database.
    if (outcome.attempts.length === 0) {
      admission?.settle(0, 0);
      return;
    }
    try {
      const counts = await tokenCounts(outcome);
      const costNanos = await this.costOf(outcome, counts);
      const records = [...(await this.givenUp(outcome)), toRecord(outcome, counts, costNanos)];
      admission?.settle(sum(records, 'totalTokens'), sum(records, 'costNanos'));
      for (const record of records) this.recorder.add(record);
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
      givenUp.map(async (attempt) => ({
        ...commonOf(outcome, attempt),
        createdAt: attempt.startedAt,
        status: 'retried' as const,
        httpStatus: attempt.error?.status ?? 200,
        errorCode: attempt.error?.code?.slice(0, 64) ?? null,
        attempts: 1,
        ...counts,
        costNanos: toNanos(await this.models.costOf(usageOf(counts), attempt.deployment)),
        firstByteMs: null,
        durationMs: Math.round(attempt.duration),
      })),
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

function toRecord(outcome: CallOutcome, counts: TokenCounts, costNanos: number | null): UsageRecord {
  const { attempts, error, firstByte, isStream } = outcome;
  return {
    ...commonOf(outcome, attempts.at(-1)),
    createdAt: outcome.startedAt,
    status: outcome.status,
    httpStatus: isStream && firstByte !== null ? 200 : (error?.status ?? 200),
    errorCode: error?.code?.slice(0, 64) ?? null,
    attempts: attempts.length,
    ...counts,
    costNanos,
    firstByteMs: firstByte === null ? null : Math.round(firstByte),
    durationMs: Math.round(outcome.duration),
  };
}

/** Whose request it was, and where an attempt of it went. */
function commonOf({ request, context, isStream }: CallOutcome, attempt: AttemptOutcome | undefined) {
  return {
    id: randomId('use_'),
    requestId: context.requestId.slice(0, 128),
    keyId: context.principal.keyId,
    groupId: context.principal.groupId,
    source: context.source,
    requestedModel: request.model.slice(0, LONGEST),
    model: (attempt?.model ?? request.model).slice(0, LONGEST),
    provider: attempt?.deployment.provider.name ?? null,
    upstreamModel: attempt?.deployment.upstreamModel.slice(0, LONGEST) ?? null,
    isStream,
    endUser: typeof request.user === 'string' ? request.user.slice(0, 512) : null,
    metadata: request.metadata ?? null,
  };
}
