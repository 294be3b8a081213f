import { BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { CallEvents } from '../chat/call-events.js';
import type { CallOutcome } from '../chat/call-outcome.js';
import { describeError } from '../errors/describe-error.js';
import { ModelsService } from '../models/models.service.js';
import { tokenCounts, usageOf } from './records/token-counts.js';
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

  /** Whichever of the two hooks comes first: what is added here is written here. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.underWay);
    await this.recorder.flush();
  }

  private async account(outcome: CallOutcome): Promise<void> {
    const { admission } = outcome;
    admission?.leave();
    // A refusal of the gateway itself leaves no record: a flood of them must not fill the database.
    if (outcome.attempts.length === 0) {
      admission?.settle(0, 0);
      return;
    }
    try {
      const counts = await tokenCounts(outcome);
      const costNanos = await this.costOf(outcome, counts);
      admission?.settle(counts.totalTokens, costNanos ?? 0);
      this.recorder.add(toRecord(outcome, counts, costNanos));
    } catch (error) {
      // What was set aside must not stay so for good.
      admission?.settle(0, 0);
      throw error;
    }
  }

  /** Billionths of a dollar; null when the price is unknown, 0 only when nothing was consumed. */
  private async costOf({ attempts, usage, cost: known }: CallOutcome, counts: TokenCounts): Promise<number | null> {
    const deployment = attempts.at(-1)?.deployment;
    if (counts.totalTokens === 0 || deployment === undefined) return 0;
    const cost = await (usage === undefined ? this.models.costOf(usageOf(counts), deployment) : known());
    return cost === null ? null : Math.round(cost * 1e9);
  }
}

function toRecord(outcome: CallOutcome, counts: TokenCounts, costNanos: number | null): UsageRecord {
  const { request, context, attempts, error, firstByte } = outcome;
  const last = attempts.at(-1);
  return {
    id: randomId('use_'),
    createdAt: outcome.startedAt,
    requestId: context.requestId.slice(0, 128),
    keyId: context.principal.keyId,
    groupId: context.principal.groupId,
    source: context.source,
    requestedModel: request.model.slice(0, LONGEST),
    model: (last?.model ?? request.model).slice(0, LONGEST),
    provider: last?.deployment.provider.name ?? null,
    upstreamModel: last?.deployment.upstreamModel.slice(0, LONGEST) ?? null,
    isStream: outcome.isStream,
    status: outcome.status,
    httpStatus: outcome.isStream && firstByte !== null ? 200 : (error?.status ?? 200),
    errorCode: error?.code?.slice(0, 64) ?? null,
    attempts: attempts.length,
    ...counts,
    costNanos,
    firstByteMs: firstByte === null ? null : Math.round(firstByte),
    durationMs: Math.round(outcome.duration),
    endUser: typeof request.user === 'string' ? request.user.slice(0, 512) : null,
    metadata: request.metadata ?? null,
  };
}
