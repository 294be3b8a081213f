import { Injectable, Optional } from '@nestjs/common';
import { RoutingConfig } from '../../config/routing-config.js';
import { DEFAULT_HEALTH } from '../../config/settings/health.js';
import type { Deployment } from '../resolved-model.js';
import { DeploymentHealth, type HealthEvent } from './deployment-health.js';
import { Drains } from './drains.js';
import { Ejections } from './ejections.js';

/** Number of deployments named by clients (`provider/model`) that are cached. */
const MAX_DEPLOYMENTS = 5_000;

/** The health of every deployment that this process has called. */
@Injectable()
export class Deployments {
  private readonly known = new Map<string, DeploymentHealth>();
  private readonly listeners: ((id: string, event: HealthEvent) => void)[] = [];
  /** The deployments that are tried last, by model. */
  readonly ejections = new Ejections();
  /** The deployments that get no new call. */
  readonly drains = new Drains();

  /** @param config without one, the defaults apply */
  constructor(@Optional() private readonly config?: RoutingConfig) {}

  healthOf({ id }: Pick<Deployment, 'id'>): DeploymentHealth {
    let health = this.known.get(id);
    if (health === undefined) {
      health = new DeploymentHealth({
        notify: (event) => this.listeners.forEach((listener) => listener(id, event)),
        settings: () => this.config?.current.health ?? DEFAULT_HEALTH,
      });
      if (this.known.size >= MAX_DEPLOYMENTS) this.forgetIdle();
      this.known.set(id, health);
    }
    return health;
  }

  /** Called with changes of health that other processes need to know. */
  onHealthEvent(listener: (id: string, event: HealthEvent) => void): void {
    this.listeners.push(listener);
  }

  /** Every deployment that was called, as `provider/model`. */
  all(): IterableIterator<[string, DeploymentHealth]> {
    return this.known.entries();
  }

  /** Drops every deployment of a provider. */
  forgetProvider(name: string): void {
    for (const id of this.known.keys()) if (id.startsWith(`${name}/`)) this.known.delete(id);
  }

  private forgetIdle(): void {
    for (const [id, health] of this.known) {
      if (health.inFlight === 0 && health.breaker === 'closed' && health.wait === 0 && !health.isResting)
        this.known.delete(id);
      if (this.known.size < MAX_DEPLOYMENTS * 0.9) return;
    }
  }
}
