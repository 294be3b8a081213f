import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { describeError } from '../../errors/describe-error.js';
import { Periodic } from '../../runtime/periodic.js';
import { BatchJob } from '../batch-job.entity.js';
import { BatchFinisher } from './batch-finisher.js';
import { BatchImporter } from './batch-importer.js';
import { FileBatch } from './file-batch.entity.js';
import { FileBatchLeases, LeaseLost, type WaitingStage } from './file-batch-leases.js';

const LOOK_MS = 1_000;
/** Stages that one process works on at once. */
const MAX_STAGES = 4;
/** Milliseconds until a stage is taken up again that failed for a passing reason. */
const RETRY_MS = 10_000;
const STOPPING = Symbol('stopping');

/** Works on the stages of file batches that wait: imports, and sums of jobs that have ended. Any number of processes may do so at once. */
@Injectable()
export class FileBatchWorker {
  private readonly logger = new Logger('FileBatches');
  private readonly stopped = new AbortController();
  private readonly working = new Map<string, Promise<void>>();
  private periodic: Periodic | undefined;

  constructor(
    @InjectRepository(BatchJob) private readonly jobs: Repository<BatchJob>,
    @InjectRepository(FileBatch) private readonly batches: Repository<FileBatch>,
    private readonly leases: FileBatchLeases,
    private readonly importer: BatchImporter,
    private readonly finisher: BatchFinisher,
  ) {}

  start(): void {
    this.periodic = new Periodic(() => this.look(), {
      intervalMs: LOOK_MS,
      runsAtStart: true,
      onError: (error) =>
        this.logger.warn({ msg: 'looking for file batches failed; trying again', error: describeError(error) }),
    });
  }

  /** Looks for waiting stages now. */
  wake(): void {
    void this.periodic?.run();
  }

  /** Ends soon: another process, or the next one, goes on where this one stopped. */
  async stop(): Promise<void> {
    this.stopped.abort(STOPPING);
    await this.periodic?.stop();
    await Promise.all(this.working.values());
  }

  private async look(): Promise<void> {
    if (this.working.size >= MAX_STAGES) return;
    for (const stage of await this.leases.waiting()) {
      if (this.working.size >= MAX_STAGES || this.stopped.signal.aborted) return;
      if (this.working.has(stage.jobId) || !(await this.leases.take(stage))) continue;
      const work = this.work(stage).finally(() => {
        this.working.delete(stage.jobId);
        if (!this.stopped.signal.aborted) this.wake();
      });
      this.working.set(stage.jobId, work);
    }
  }

  /** Never rejects. */
  private async work(stage: WaitingStage): Promise<void> {
    const { jobId } = stage;
    const { signal } = this.stopped;
    try {
      const job = await this.jobs.findOneBy({ id: jobId });
      const batch = await this.batches.findOneBy({ jobId });
      if (job === null || batch === null) return;
      if (stage.stage === 'import') await this.importer.import(stage, job, batch, signal);
      else await this.finisher.finish(stage, job, batch, signal);
    } catch (error) {
      if (error instanceof LeaseLost) return;
      const isStopping = signal.aborted;
      if (!isStopping) {
        this.logger.warn({
          msg: 'a file batch could not be processed; trying again',
          job_id: jobId,
          stage: stage.stage,
          error: describeError(error),
        });
      }
      // Where this fails as well, the lease ends by itself.
      await this.leases.release(stage, isStopping ? 0 : RETRY_MS).catch(() => undefined);
    }
  }
}
