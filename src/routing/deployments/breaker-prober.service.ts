import { randomUUID } from 'node:crypto';
import { BeforeApplicationShutdown, Injectable, OnApplicationBootstrap } from '@nestjs/common';
import { RoutingConfig } from '../../config/routing-config.js';
import { CHAT } from '../../operations/chat/chat-operation.js';
import type { Provider } from '../../providers/provider.js';
import { SharedRedis } from '../../redis/shared-redis.js';
import type { Deployment } from '../resolved-model.js';
import { Routing } from '../routing.service.js';
import type { DeploymentHealth, HealthEvent, ProbeResult } from './deployment-health.js';
import { Deployments } from './deployments.service.js';
import { PROBE_TIMEOUT_MS, ProbeRun, probeResultOf, type ProbeKind } from './probe-run.js';

/** Prefix of the Redis key that the process holds which tests the deployment. */
const LEASE = 'gateway:probe:';
/** Most tokens of a test by a chat request. */
const TEST_TOKENS = 1;

/**
 * Tests deployments whose breaker has opened in this process, so that no client's request is the first to find out whether one is
 * well again. With Redis one replica tests a deployment at a time. Without it, each process that has seen the failures does.
 */
@Injectable()
export class BreakerProber implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly runs = new Map<string, ProbeRun>();
  /** Deployments whose tests failed while they served requests. */
  private readonly misleading = new Set<string>();
  /** Providers of which a test has succeeded. */
  private readonly proven = new WeakSet<Provider>();
  /** Tests in progress, which the deployments of a provider share. */
  private readonly lists = new Map<Provider, Promise<ProbeResult>>();
  private readonly stop = new AbortController();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly config: RoutingConfig,
    private readonly routing: Routing,
    private readonly deployments: Deployments,
    private readonly redis: SharedRedis,
  ) {}

  onApplicationBootstrap(): void {
    this.deployments.onHealthEvent((id, event) => this.onEvent(id, event));
    this.config.onChange(() => this.misleading.clear());
  }

  beforeApplicationShutdown(): void {
    this.stop.abort();
    for (const timer of this.timers) clearTimeout(timer);
  }

  private onEvent(id: string, { kind }: HealthEvent): void {
    const mode = this.config.current.health.probe;
    const run = this.runs.get(id);
    if (kind === 'closed' && run !== undefined) {
      this.runs.delete(id);
      if (run.sawFailure && mode !== 'off') void this.verify(id, mode);
    }
    if (kind !== 'open' || mode === 'off' || run !== undefined || this.misleading.has(id)) return;
    const provider = this.routing.current.deploymentAt(id)?.provider;
    if (provider === undefined) return;
    const started = new ProbeRun(mode, performance.now(), this.proven.has(provider));
    this.runs.set(id, started);
    // The list of models shows at once whether it fails in this outage; a billed request has time.
    this.schedule(id, started, mode, mode === 'models' ? 0 : started.interval(performance.now()));
  }

  private schedule(id: string, run: ProbeRun, mode: ProbeKind, afterMs: number): void {
    if (this.stop.signal.aborted) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      void this.step(id, run, mode);
    }, afterMs).unref();
    this.timers.add(timer);
  }

  private async step(id: string, run: ProbeRun, mode: ProbeKind): Promise<void> {
    const deployment = this.routing.current.deploymentAt(id);
    const health = this.deployments.healthOf({ id });
    if (this.runs.get(id) !== run) return;
    // Closed by another process, or removed from the configuration.
    if (deployment === undefined || health.circuit.state === 'closed') {
      this.runs.delete(id);
      return;
    }
    const interval = run.interval(performance.now());
    if (this.deployments.drains.has(deployment)) {
      this.schedule(id, run, mode, interval);
      return;
    }
    if (!(await this.mayTest(id, interval))) {
      this.schedule(id, run, mode, interval);
      return;
    }
    const result = await this.test(deployment, health, mode);
    if (this.runs.get(id) !== run || this.stop.signal.aborted) return;
    const next = run.next(result, performance.now());
    if (next.kind === 'again') {
      if (next.holdMs > 0) health.circuit.postpone(next.holdMs);
      this.schedule(id, run, mode, next.afterMs);
      return;
    }
    this.runs.delete(id);
    if (next.kind === 'trial') health.circuit.allowTrial();
    else if (next.kind === 'close') health.probedWell();
  }

  /** A test that fails although a request has succeeded is not used again. */
  private async verify(id: string, mode: ProbeKind): Promise<void> {
    const deployment = this.routing.current.deploymentAt(id);
    if (deployment === undefined || this.deployments.drains.has(deployment)) return;
    const result = await this.test(deployment, this.deployments.healthOf({ id }), mode);
    if (result === 'unwell' && !this.stop.signal.aborted) this.misleading.add(id);
  }

  /** Whether this process tests now: with Redis, the one that has the lease. */
  private async mayTest(id: string, milliseconds: number): Promise<boolean> {
    const lease = Math.ceil(milliseconds / 2);
    const taken = await this.redis.run((client) => client.set(`${LEASE}${id}`, process.pid, 'PX', lease, 'NX'));
    return taken !== null;
  }

  private async test(deployment: Deployment, health: DeploymentHealth, mode: ProbeKind): Promise<ProbeResult> {
    const result = await (mode === 'models' ? this.listed(deployment.provider) : this.requested(deployment));
    health.probes[result] += 1;
    if (result === 'well') this.proven.add(deployment.provider);
    return result;
  }

  private listed(provider: Provider): Promise<ProbeResult> {
    const inProgress = this.lists.get(provider);
    if (inProgress !== undefined) return inProgress;
    const result = this.outcome((signal) => provider.listModels(signal)).finally(() => this.lists.delete(provider));
    this.lists.set(provider, result);
    return result;
  }

  /** A deployment without chat is tested by its list of models. */
  private requested({ provider, upstreamModel, timeouts }: Deployment): Promise<ProbeResult> {
    const port = provider.operation(CHAT.name);
    if (port === undefined) return this.listed(provider);
    const request = {
      model: upstreamModel,
      max_tokens: TEST_TOKENS,
      messages: [{ role: 'user' as const, content: 'Hi' }],
    };
    return this.outcome((signal) =>
      port.invoke({ request, upstreamModel, timeouts, requestId: randomUUID(), headers: {}, signal }),
    );
  }

  private async outcome(send: (signal: AbortSignal) => Promise<unknown>): Promise<ProbeResult> {
    try {
      await send(AbortSignal.any([this.stop.signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]));
      return 'well';
    } catch (error) {
      return probeResultOf(error);
    }
  }
}
