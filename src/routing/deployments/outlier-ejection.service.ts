import { Injectable, Logger, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { RoutingConfig } from '../../config/routing-config.js';
import { describeError } from '../../errors/describe-error.js';
import { Periodic } from '../../runtime/periodic.js';
import type { ResolvedModel } from '../resolved-model.js';
import { Routing } from '../routing.service.js';
import { Deployments } from './deployments.service.js';
import { findOutliers } from './outliers.js';

/** How often the deployments of each model are compared, in milliseconds. */
const INTERVAL_MS = 1_000;
/** The calls that are compared: those of the last 30 s. */
const WINDOW_MS = 30_000;
/** Within this many of its longest times, an ejection counts as one after another. */
const MEMORY_TIMES = 2;

/** Ejects deployments that fail more often or respond more slowly than the others of their model. */
@Injectable()
export class OutlierEjection implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Routing');
  private periodic: Periodic | undefined;

  constructor(
    private readonly config: RoutingConfig,
    private readonly routing: Routing,
    private readonly deployments: Deployments,
  ) {}

  onApplicationBootstrap(): void {
    this.periodic = new Periodic(() => this.compare(), {
      intervalMs: INTERVAL_MS,
      onError: (error) => this.logger.error({ msg: 'deployments were not compared', error: describeError(error) }),
    });
  }

  onApplicationShutdown(): Promise<void> | undefined {
    return this.periodic?.stop();
  }

  /** Compares the deployments of each model of the file. */
  compare(): void {
    const { current } = this.routing;
    const { ejections } = this.deployments;
    const { ejection } = this.config.current.health;
    const isKnown = (id: string): boolean => current.nameOf(id) === id;
    for (const id of ejections.sweep(isKnown, ejection.maxTime * MEMORY_TIMES)) {
      this.deployments.healthOf({ id }).slowStart.begin();
    }
    for (const model of current.listed()) if (model.deployments.length > 1) this.compareIn(model);
  }

  private compareIn(model: ResolvedModel): void {
    const { ejection } = this.config.current.health;
    const { ejections } = this.deployments;
    const ids = new Set(model.deployments.map(({ id }) => id));
    const stats = [...ids].map((id) => ({
      id,
      // What it did before it was ejected does not eject it again when it is back.
      ...this.deployments.healthOf({ id }).calls.within(Math.min(WINDOW_MS, ejections.sinceEnd(model.id, id))),
      isEjected: ejections.has(model.id, id),
    }));
    for (const { id, reason } of findOutliers(stats, ejection)) {
      ejections.eject(model.id, id, reason, ejection);
      const forSeconds = Math.round(ejections.left(model.id, id) / 1_000);
      this.logger.warn({ msg: 'a deployment is tried last', deployment: id, model: model.id, reason, forSeconds });
    }
  }
}
