import { Injectable, Logger, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { runSql } from '../../database/sql.js';
import { describeError } from '../../errors/describe-error.js';

/** Milliseconds between two looks for what is too old. */
const LOOK = 3_600_000;
/** Records of one statement, so that none holds the database for long. */
const CHUNK = 2_000;

/** Deletes records that are older than `usage.retention`, a few at a time. Safe in any number of processes. */
@Injectable()
export class UsageSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Usage');
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(
    private readonly config: GatewayConfig,
    private readonly database: Database,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.sweep().catch((error: unknown) => {
        this.logger.warn({ msg: 'old usage records could not be deleted', error: describeError(error) });
      });
    }, LOOK).unref();
  }

  onApplicationShutdown(): void {
    this.isStopped = true;
    clearInterval(this.timer);
  }

  /** @returns how many records were deleted */
  async sweep(): Promise<number> {
    const before = Date.now() - this.config.usage.retention;
    let deleted = 0;
    while (!this.isStopped) {
      const { affected } = await this.database.transaction((manager) =>
        runSql(
          manager,
          this.database.dialect,
          `DELETE FROM usage_record WHERE id IN (
             SELECT id FROM usage_record WHERE created_at < $1 ORDER BY created_at LIMIT ${CHUNK})`,
          [before],
        ),
      );
      deleted += affected;
      if (affected < CHUNK) break;
      await new Promise(setImmediate);
    }
    return deleted;
  }
}
