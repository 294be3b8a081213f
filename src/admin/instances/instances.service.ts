import { hostname } from 'node:os';
import { BeforeApplicationShutdown, Injectable, Logger, OnApplicationBootstrap } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { GatewayConfig } from '../../config/gateway-config.js';
import { RoutingConfig } from '../../config/routing-config.js';
import { Database } from '../../database/database.js';
import { describeError } from '../../errors/describe-error.js';
import { Periodic } from '../../runtime/periodic.js';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import { randomId } from '../../runtime/random-id.js';
import { VERSION } from '../../runtime/version.js';
import { configurationHash } from './configuration-hash.js';
import { GatewayInstance } from './gateway-instance.entity.js';
import type { InstanceListDto } from './instances.dto.js';

/** Milliseconds between two heartbeats of an instance. */
const HEARTBEAT_MS = 15_000;
/** Milliseconds after its last heartbeat from which an instance is listed as missing. */
const MISSING_AFTER_MS = 60_000;
/** How often an ending instance tries to delete its entry; the database may be busy. */
const LEAVE_ATTEMPTS = 3;
/** Milliseconds after which the entry of an instance that did not delete it is removed. */
const FORGOTTEN_AFTER_MS = 86_400_000;

/** Writes the heartbeat of this process to the database, and lists all instances. */
@Injectable()
export class Instances implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Instances');
  private readonly id = randomId('inst_');
  private readonly startedAt = Date.now();
  private hash: string;
  private reloadedAt: number | null = null;
  private heartbeats: Periodic | undefined;

  constructor(
    private readonly config: GatewayConfig,
    routing: RoutingConfig,
    private readonly database: Database,
    @InjectRepository(GatewayInstance) private readonly instances: Repository<GatewayInstance>,
  ) {
    this.hash = configurationHash(routing.current);
    routing.onChange((settings) => {
      this.reloadedAt = Date.now();
      this.hash = configurationHash(settings);
      void this.heartbeats?.run();
    });
  }

  onApplicationBootstrap(): void {
    this.heartbeats = new Periodic(() => this.describe(), {
      intervalMs: HEARTBEAT_MS,
      runsAtStart: true,
      onError: (error) =>
        this.logger.debug({ msg: 'this instance could not be described in the database', error: describeError(error) }),
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.heartbeats?.stop();
    for (let attempt = 1; attempt <= LEAVE_ATTEMPTS; attempt += 1) {
      try {
        await this.database.transaction((manager) => manager.delete(GatewayInstance, { id: this.id }));
        return;
      } catch (error) {
        // An instance that cannot delete its entry is listed as missing, and removed after a while.
        this.logger.debug({ msg: 'this instance could not delete its entry', attempt, error: describeError(error) });
      }
    }
  }

  async list(): Promise<InstanceListDto> {
    const rows = await this.instances.find({ order: { startedAt: 'DESC', id: 'DESC' }, take: 1_000 });
    const now = Date.now();
    return {
      object: 'list',
      data: rows.map((row) => ({
        id: row.id,
        object: 'instance' as const,
        host: row.host,
        pid: row.pid,
        role: row.role,
        version: row.version,
        configuration_hash: row.configurationHash,
        status: now - row.seenAt < MISSING_AFTER_MS ? ('running' as const) : ('missing' as const),
        is_this: row.id === this.id,
        started_at: toUnixSeconds(row.startedAt),
        reloaded_at: toUnixSeconds(row.reloadedAt),
        seen_at: toUnixSeconds(row.seenAt),
      })),
      has_more: false,
      next: null,
    };
  }

  private async describe(): Promise<void> {
    await this.database.transaction(async (manager) => {
      await manager.upsert(
        GatewayInstance,
        {
          id: this.id,
          host: hostname().slice(0, 255),
          pid: process.pid,
          role: this.config.role,
          version: VERSION,
          configurationHash: this.hash,
          startedAt: this.startedAt,
          reloadedAt: this.reloadedAt,
          seenAt: Date.now(),
        },
        ['id'],
      );
      await manager.delete(GatewayInstance, { seenAt: LessThan(Date.now() - FORGOTTEN_AFTER_MS) });
    });
  }
}
