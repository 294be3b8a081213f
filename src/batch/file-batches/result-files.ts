import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { notFound } from '../../errors/gateway-error.js';
import { DerivedContent } from '../../files/derived-content.js';
import type { StoredFile } from '../../files/stored-file.entity.js';
import { BatchJob } from '../batch-job.entity.js';
import type { TaskStatus } from '../batch-task.entity.js';
import { ResultReader } from '../results/result-reader.js';
import { batchOutput } from './batch-output.js';
import { FileBatch } from './file-batch.entity.js';
import type { ResultTotals } from './result-totals.js';

/** Results whose sizes are read at once. */
const ROWS_PER_LIST = 1_000;

/** `output` has the requests with a response, `error` the others that have ended. */
export type ResultKind = 'output' | 'error';

const STATUSES: Readonly<Record<ResultKind, readonly TaskStatus[]>> = {
  output: ['succeeded'],
  error: ['failed', 'cancelled', 'expired'],
};

/** The files of results: their content is read from the tasks of the job, also while it runs, in memory that does not grow with it. */
@Injectable()
export class ResultFiles {
  constructor(
    @InjectRepository(BatchJob) private readonly jobs: Repository<BatchJob>,
    @InjectRepository(FileBatch) private readonly batches: Repository<FileBatch>,
    private readonly reader: ResultReader,
    derived: DerivedContent,
  ) {
    derived.setSource((file) => this.contentOf(file));
  }

  /** The lines of a file that are there now, in the order of the input. */
  async *read(job: BatchJob, kind: ResultKind, totals?: ResultTotals): AsyncGenerator<Buffer> {
    const format = batchOutput(job.id, totals);
    let left = kind === 'output' ? job.completedCount : job.failedCount + job.cancelledCount + job.expiredCount;
    for (let after = -1; left > 0;) {
      const found = await this.reader.list(job, {
        after,
        limit: ROWS_PER_LIST,
        expected: left,
        statuses: STATUSES[kind],
      });
      for await (const parts of this.reader.read(job.id, found, format)) yield* parts;
      if (found.length === 0) return;
      after = found.at(-1)?.index ?? after;
      left -= found.length;
    }
  }

  private async *contentOf({ id, batchId }: StoredFile): AsyncGenerator<Buffer> {
    const job = batchId === null ? null : await this.jobs.findOneBy({ id: batchId });
    const batch = job === null ? null : await this.batches.findOneBy({ jobId: job.id });
    if (job === null || batch === null)
      throw notFound(`The batch of the file '${id}' is deleted.`, 'not_found', 'file_id');
    yield* this.read(job, id === batch.outputFileId ? 'output' : 'error');
  }
}
