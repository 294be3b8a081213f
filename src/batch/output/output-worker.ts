import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { GatewayConfig } from '../../config/gateway-config.js';
import { describeError } from '../../errors/describe-error.js';
import { Periodic } from '../../runtime/periodic.js';
import { BatchJob } from '../batch-job.entity.js';
import { shownFault } from './output-error.js';
import { OutputLost, OutputStore } from './output-store.js';
import { OutputWriter, type TakenOutput } from './output-writer.js';

const LOOK_MS = 1_000;
/** Outputs that one process writes at once. */
const MAX_OUTPUTS = 2;
/** Milliseconds until a failed attempt is repeated: the first time, and at most. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 3_600_000;
const STOPPING = Symbol('stopping');

/** Writes the results of ended jobs to the buckets that they name. Any number of processes may do so at once. */
@Injectable()
export class OutputWorker {
  private readonly logger = new Logger('BatchOutput');
  private readonly stopped = new AbortController();
  private readonly writing = new Map<string, Promise<void>>();
  private periodic: Periodic | undefined;

  constructor(
    @InjectRepository(BatchJob) private readonly jobs: Repository<BatchJob>,
    private readonly store: OutputStore,
    private readonly writer: OutputWriter,
    private readonly config: GatewayConfig,
  ) {}

  start(): void {
    this.periodic = new Periodic(() => this.look(), {
      intervalMs: LOOK_MS,
      runsAtStart: true,
      onError: (error) =>
        this.logger.warn({ msg: 'looking for outputs failed; trying again', error: describeError(error) }),
    });
  }

  /** Ends soon: another process, or the next one, goes on after the last part. */
  async stop(): Promise<void> {
    this.stopped.abort(STOPPING);
    await this.periodic?.stop();
    await Promise.all(this.writing.values());
  }

  private async look(): Promise<void> {
    if (this.writing.size >= MAX_OUTPUTS) return;
    for (const jobId of await this.store.due()) {
      if (this.writing.size >= MAX_OUTPUTS || this.stopped.signal.aborted) return;
      const taken = this.writing.has(jobId) ? undefined : await this.store.take(jobId);
      if (taken === undefined) continue;
      const work = this.work(taken).finally(() => {
        this.writing.delete(jobId);
        if (!this.stopped.signal.aborted) void this.periodic?.run();
      });
      this.writing.set(jobId, work);
    }
  }

  /** Never rejects. */
  private async work(taken: TakenOutput): Promise<void> {
    const { jobId } = taken.output;
    const lost = new AbortController();
    const signal = AbortSignal.any([this.stopped.signal, lost.signal]);
    const lease = new Periodic(() => this.store.extend(jobId), {
      intervalMs: this.config.batch.lease / 3,
      onError: (error) => {
        // While the database cannot be reached, the lease may still be held; what is recorded next decides.
        if (error instanceof OutputLost) lost.abort(error);
      },
    });
    try {
      const job = await this.jobs.findOneBy({ id: jobId });
      if (job === null) return;
      try {
        const bytes = await this.writer.write(taken, job, signal);
        this.logger.log({ msg: 'the results of a batch are written to a bucket', job_id: jobId, bytes });
      } catch (error) {
        await lease.stop();
        await this.fail(taken, job, error);
      }
    } catch (error) {
      // Where the database cannot be reached, the lease ends by itself.
      if (error instanceof OutputLost) return;
      this.logger.warn({ msg: 'an output was left', job_id: jobId, error: describeError(error) });
    } finally {
      await lease.stop();
    }
  }

  private async fail(taken: TakenOutput, job: BatchJob, error: unknown): Promise<void> {
    const { output } = taken;
    const { jobId, attempts } = output;
    if (error instanceof OutputLost) {
      this.logger.log({ msg: 'another process has the output of a batch', job_id: jobId });
      return;
    }
    if (this.stopped.signal.aborted) return this.store.release(jobId);
    const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 20)) * (0.5 + Math.random() / 2);
    const isAbandoned = await this.store.fail(output, shownFault(error), Math.round(delayMs));
    this.logger.warn({
      msg: isAbandoned ? 'an output is abandoned' : 'an output could not be written; trying again',
      job_id: jobId,
      bucket: output.bucket,
      error: describeError(error),
    });
    if (!isAbandoned) return;
    await this.writer
      .discard(taken, job)
      .catch((reason: unknown) =>
        this.logger.warn({ msg: 'parts are left in a bucket', job_id: jobId, error: describeError(reason) }),
      );
  }
}
