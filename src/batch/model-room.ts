import { Injectable } from '@nestjs/common';
import { GatewayConfig } from '../config/gateway-config.js';
import type { GatewayError } from '../errors/gateway-error.js';
import { Deployments } from '../routing/deployments/deployments.service.js';
import { Routing } from '../routing/routing.service.js';
import type { Deployment, ResolvedModel } from '../routing/resolved-model.js';
import { modelOfLane } from './native/tiers.js';
import { AdaptiveLimit } from './adaptive-limit.js';
import { laneGroup } from './lanes.js';

/** Number of limits that are cached: of keys with their models, and of models. */
const MAX_CACHED_LIMITS = 5_000;

/** Milliseconds until a model is looked at again all of whose deployments are drained. */
const DRAINED_PAUSE_MS = 2_000;

/** How many tasks of a model, and of a key for a model, this process may run at once now. */
@Injectable()
export class ModelRoom {
  private readonly models = new Map<string, AdaptiveLimit>();
  private readonly groups = new Map<string, AdaptiveLimit>();

  constructor(
    private readonly routing: Routing,
    private readonly deployments: Deployments,
    private readonly config: GatewayConfig,
  ) {}

  /** The name under which the model of a lane is counted: aliases count as their model, and all its tiers as one. */
  nameOf(lane: string): string {
    const model = modelOfLane(lane);
    return this.resolve(model)?.id ?? model;
  }

  /** Tasks of a model at once; 0 while every provider of it has asked this key to wait, or all its deployments are drained. */
  ofModel(keyId: string, model: string): number {
    if (this.pauseOfProviders(keyId, model) > 0) return 0;
    return Math.min(this.limitOf(this.models, this.nameOf(model)).value, this.capOf(model));
  }

  /** Tasks of a key for a model at once; 0 while the limits of the key require a wait. */
  ofGroup(keyId: string, model: string): number {
    return this.limitOf(this.groups, laneGroup(keyId, this.nameOf(model))).value;
  }

  /** Milliseconds until a task of a key for a model may begin; 0 when that is now. */
  pause(keyId: string, model: string): number {
    return Math.max(
      this.pauseOfProviders(keyId, model),
      this.limitOf(this.models, this.nameOf(model)).pause,
      this.limitOf(this.groups, laneGroup(keyId, this.nameOf(model))).pause,
    );
  }

  succeeded(keyId: string, model: string): void {
    const name = this.nameOf(model);
    this.limitOf(this.models, name).succeeded();
    this.limitOf(this.groups, laneGroup(keyId, name)).succeeded();
  }

  /** A provider responded with 429. The model gets fewer slots; the wait may apply to this key alone. */
  refused(keyId: string, model: string, { retryAfterMs }: GatewayError): void {
    const name = this.nameOf(model);
    this.limitOf(this.models, name).refused(undefined);
    this.limitOf(this.groups, laneGroup(keyId, name)).refused(retryAfterMs);
  }

  /**
   * The gateway refused. If the cause is a provider's pause, which another process may have reported, or deployments without a
   * free slot, the model gets fewer slots, as if this process had received a 429. If the cause is a limit, the key gets fewer
   * slots for that model.
   */
  refusedByGateway(keyId: string, model: string, error: GatewayError): void {
    const name = this.nameOf(model);
    if (this.pauseOfProviders(keyId, model) > 0) this.limitOf(this.models, name).refused(undefined);
    if (error.status === 503) this.limitOf(this.models, name).refused(error.retryAfterMs);
    else this.limitOf(this.groups, laneGroup(keyId, name)).refused(error.retryAfterMs);
  }

  /** Milliseconds until the first deployment that may be called accepts calls again; at least a moment where all are drained. */
  private pauseOfProviders(keyId: string, model: string): number {
    const resolved = this.resolve(model);
    if (resolved === undefined) return 0;
    let pause = Infinity;
    let isDrained = false;
    for (const deployment of this.deploymentsOf(resolved)) {
      if (this.deployments.drains.has(deployment)) {
        isDrained = true;
        continue;
      }
      pause = Math.min(pause, this.deployments.healthOf(deployment).waitFor(keyId));
      if (pause === 0) return 0;
    }
    if (pause < Infinity) return pause;
    return isDrained ? DRAINED_PAUSE_MS : 0;
  }

  /** Concurrent calls of the deployments of a model in this process. */
  private capOf(model: string): number {
    const resolved = this.resolve(model);
    if (resolved === undefined || resolved.fallbacks.length > 0) return Infinity;
    const inService = resolved.deployments.filter((deployment) => !this.deployments.drains.has(deployment));
    const sum = inService.reduce((total, { concurrency }) => total + (concurrency ?? Infinity), 0);
    return Math.max(1, Math.min(sum, ...resolved.accounts.map(({ limits }) => limits?.concurrency ?? Infinity)));
  }

  private *deploymentsOf({ deployments, fallbacks }: ResolvedModel): Generator<Deployment> {
    yield* deployments;
    for (const fallback of fallbacks) yield* this.resolve(fallback)?.deployments ?? [];
  }

  private resolve(lane: string): ResolvedModel | undefined {
    try {
      return this.routing.resolve(modelOfLane(lane));
    } catch {
      // Removed from the configuration since; its tasks fail when they run.
      return undefined;
    }
  }

  private limitOf(limits: Map<string, AdaptiveLimit>, name: string): AdaptiveLimit {
    let limit = limits.get(name);
    if (limit === undefined) {
      if (limits.size >= MAX_CACHED_LIMITS) {
        for (const [other, { isFull }] of limits) if (isFull) limits.delete(other);
      }
      limit = new AdaptiveLimit(this.config.batch.concurrency);
      limits.set(name, limit);
    }
    return limit;
  }
}
