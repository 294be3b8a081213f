import { Injectable, Logger, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { describeError } from '../errors/describe-error.js';
import { RequestLogService } from './request-log.service.js';

/** Milliseconds between two looks at what has expired. */
const SWEEP = 60_000;

/** Deletes what was kept for as long as it was to be kept. Any number of processes may do it at once. */
@Injectable()
export class RequestLogSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('RequestLog');
  private timer: NodeJS.Timeout | undefined;
  private isBusy = false;

  constructor(private readonly log: RequestLogService) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweep(), SWEEP);
    void this.sweep();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async sweep(): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      await this.log.deleteExpired();
    } catch (error) {
      this.logger.warn({ msg: 'expired entries could not be deleted; trying again', error: describeError(error) });
    } finally {
      this.isBusy = false;
    }
  }
}
