import type { RoutingSettings } from './gateway-config.js';

/** Called after the settings were replaced. */
export type RoutingListener = (current: RoutingSettings, previous: RoutingSettings) => void;

/**
 * The settings that a reload replaces: providers, models, `expose`, `upstream`, `retry` and `health`. Also its own injection token. Read
 * `current` when a value is needed, or subscribe with `onChange`; everything else is in GatewayConfig and never changes.
 */
export class RoutingConfig {
  private settings: RoutingSettings;
  private readonly listeners: RoutingListener[] = [];

  constructor({ providers, models, expose, upstream, retry, health, written }: RoutingSettings) {
    this.settings = Object.freeze({
      providers,
      models,
      expose,
      upstream,
      retry,
      health,
      ...(written !== undefined && { written }),
    });
  }

  get current(): RoutingSettings {
    return this.settings;
  }

  /** Listeners are called in the order in which they subscribed, for the life of the process. */
  onChange(listener: RoutingListener): void {
    this.listeners.push(listener);
  }

  /**
   * Replaces the settings and notifies all listeners. When one of them throws, the previous settings stay.
   *
   * @throws what the listener threw
   */
  replace({ providers, models, expose, upstream, retry, health, written }: RoutingSettings): void {
    const previous = this.settings;
    this.settings = Object.freeze({
      providers,
      models,
      expose,
      upstream,
      retry,
      health,
      ...(written !== undefined && { written }),
    });
    try {
      for (const listener of this.listeners) listener(this.settings, previous);
    } catch (error) {
      this.settings = previous;
      throw error;
    }
  }
}
