import { BeforeApplicationShutdown, Injectable, Logger, OnApplicationBootstrap, OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Broadcast } from '../../cluster/broadcast.js';
import { describeError } from '../../errors/describe-error.js';
import { Periodic } from '../../runtime/periodic.js';
import { DeploymentDrain } from './deployment-drain.entity.js';
import { Deployments } from './deployments.service.js';

const CHANNEL = 'gateway:deployment-drains';
/** Milliseconds between two looks at the database, for processes that no message reaches. */
const POLL_MS = 1_000;

/**
 * Keeps the drains of this process as the database has them. A change is announced to the processes of this machine, and with Redis
 * to all; in any case each process looks every second. While the database does not respond, the drains that are known stay.
 */
@Injectable()
export class SharedDrains implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Drains');
  private polls: Periodic | undefined;

  constructor(
    @InjectRepository(DeploymentDrain) private readonly stored: Repository<DeploymentDrain>,
    private readonly broadcast: Broadcast,
    private readonly deployments: Deployments,
  ) {}

  /** Before the first request. */
  onModuleInit(): Promise<void> {
    return this.read().catch((error: unknown) => this.logFailure(error));
  }

  onApplicationBootstrap(): void {
    this.polls = new Periodic(() => this.read(), { intervalMs: POLL_MS, onError: (error) => this.logFailure(error) });
    this.broadcast.subscribe(CHANNEL, () => void this.readAgain());
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.polls?.stop();
  }

  /** The drains in the database were changed. @returns when this process has read them, and the others of this machine are notified */
  async changed(): Promise<void> {
    await Promise.all([this.readAgain(), this.broadcast.publish(CHANNEL, null)]);
  }

  private async readAgain(): Promise<void> {
    // A look that is in progress may have begun before the change.
    await this.polls?.run();
    await this.polls?.run();
  }

  private async read(): Promise<void> {
    this.deployments.drains.replace(await this.stored.find());
  }

  private logFailure(error: unknown): void {
    this.logger.debug({ msg: 'the drained deployments could not be read', error: describeError(error) });
  }
}
