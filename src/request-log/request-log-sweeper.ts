import { Injectable, Logger, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { describeError } from '../errors/describe-error.js';
import { Periodic } from '../runtime/periodic.js';
import { RequestLogService } from './request-log.service.js';

const SWEEP_INTERVAL_MS = 60_000;

/** Deletes entries past their retention. Safe in any number of processes. */
@Injectable()
export class RequestLogSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('RequestLog');
  private periodic: Periodic | undefined;

  constructor(private readonly log: RequestLogService) {}

  onApplicationBootstrap(): void {
    this.periodic = new Periodic(() => this.log.deleteExpired(), {
      intervalMs: SWEEP_INTERVAL_MS,
      runsAtStart: true,
      onError: (error) =>
        this.logger.warn({ msg: 'expired entries could not be deleted; trying again', error: describeError(error) }),
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.periodic?.stop();
  }
}
