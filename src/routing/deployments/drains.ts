import { placeOfDeployment } from '../deployment-owners.js';
import type { Deployment } from '../resolved-model.js';

/** A deployment that an administrator has taken out of service. Times are in epoch milliseconds. */
export interface Drain {
  /** The id as the list of deployments has it. */
  readonly deployment: string;
  readonly reason: string | null;
  /** Id and name of the key, or of the person, that drained it. */
  readonly actor: string;
  readonly actorName: string;
  readonly createdAt: number;
  /** When it ends by itself; null for never. */
  readonly expiresAt: number | null;
}

/**
 * The deployments that get no new call, because an administrator has drained them. Calls in flight are not affected. Spellings that
 * lead to the same model at a provider are one deployment.
 */
export class Drains {
  private byPlace: ReadonlyMap<string, Drain> = new Map();
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly now: () => number = Date.now) {}

  has(deployment: Pick<Deployment, 'id'>): boolean {
    return this.byPlace.size > 0 && this.of(deployment.id) !== undefined;
  }

  /** The drain of a deployment; undefined while it is in service. */
  of(deploymentId: string): Drain | undefined {
    const drain = this.byPlace.get(placeOfDeployment(deploymentId));
    return drain === undefined || this.isOver(drain) ? undefined : drain;
  }

  /** Those that have not ended. */
  all(): Drain[] {
    return [...this.byPlace.values()].filter((drain) => !this.isOver(drain));
  }

  /** Replaces all drains. */
  replace(drains: readonly Drain[]): void {
    this.byPlace = new Map(drains.map((drain) => [placeOfDeployment(drain.deployment), drain]));
    this.listeners.forEach((listener) => listener());
  }

  /** Called when drains may have changed. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  private isOver({ expiresAt }: Drain): boolean {
    return expiresAt !== null && expiresAt <= this.now();
  }
}
