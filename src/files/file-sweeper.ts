import { Injectable, Logger, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThanOrEqual, Repository } from 'typeorm';
import { describeError } from '../errors/describe-error.js';
import { Periodic } from '../runtime/periodic.js';
import { FileStorage } from './storage/file-storage.js';
import { UploadsService } from './uploads/uploads.service.js';
import { StoredFile } from './stored-file.entity.js';

const SWEEP_MS = 10 * 60_000;
/** Content that is older and has no row is what a crash or a failed deletion left. An upload stores its row within seconds. */
const ORPHAN_MS = 3_600_000;
const FILES_PER_QUERY = 100;

/** Deletes files that have expired, and content without a row. Any number of processes may do so at once. */
@Injectable()
export class FileSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('FileSweeper');
  private periodic: Periodic | undefined;

  constructor(
    @InjectRepository(StoredFile) private readonly files: Repository<StoredFile>,
    private readonly storage: FileStorage,
    private readonly uploads: UploadsService,
  ) {}

  onApplicationBootstrap(): void {
    this.periodic = new Periodic(() => this.sweep(Date.now()), {
      intervalMs: SWEEP_MS,
      runsAtStart: true,
      onError: (error) => this.logger.warn({ msg: 'sweeping files failed; trying again', error: describeError(error) }),
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.periodic?.stop();
  }

  /** @param now epoch milliseconds */
  async sweep(now: number): Promise<void> {
    for (;;) {
      const expired = await this.files.find({
        where: { expiresAt: LessThanOrEqual(now) },
        order: { expiresAt: 'ASC' },
        take: FILES_PER_QUERY,
      });
      for (const { id, batchId } of expired) {
        await this.files.delete({ id });
        if (batchId === null) await this.storage.delete(id);
      }
      if (expired.length < FILES_PER_QUERY) break;
    }
    await this.uploads.sweep(now);
    for await (const id of this.storage.listBefore(now - ORPHAN_MS)) {
      const isKnown = (await this.files.existsBy({ id })) || (await this.uploads.hasPart(id));
      if (!isKnown) await this.storage.delete(id);
    }
  }
}
