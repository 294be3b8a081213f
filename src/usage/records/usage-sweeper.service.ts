import { Injectable, Logger, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { deleteInSteps } from '../../database/delete-in-steps.js';
import { describeError } from '../../errors/describe-error.js';
import { Periodic } from '../../runtime/periodic.js';

const SWEEP_INTERVAL_MS = 3_600_000;

/** Deletes records that are older than `usage.retention`, a few at a time. Safe in any number of processes. */
@Injectable()
export class UsageSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Usage');
  private readonly stopping = new AbortController();
  private periodic: Periodic | undefined;

  constructor(
    private readonly config: GatewayConfig,
    private readonly database: Database,
  ) {}

  onApplicationBootstrap(): void {
    this.periodic = new Periodic(() => this.sweep(), {
      intervalMs: SWEEP_INTERVAL_MS,
      runsAtStart: true,
      onError: (error) =>
        this.logger.warn({ msg: 'old usage records could not be deleted', error: describeError(error) }),
    });
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.periodic?.stop();
  }

  /** @returns how many records were deleted */
  async sweep(): Promise<number> {
    const before = Date.now() - this.config.usage.retention;
    return deleteInSteps(this.database, {
      table: 'usage_record',
      condition: 'created_at < $1',
      parameters: [before],
      signal: this.stopping.signal,
    });
  }
}
