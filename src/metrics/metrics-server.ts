import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable, Logger, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { GatewayConfig } from '../config/gateway-config.js';
import { BootError } from '../errors/boot-error.js';
import { describeError } from '../errors/describe-error.js';
import { MetricsRegistry } from './metrics-registry.js';

/** `/metrics` without a key on a port of its own, for a network that clients do not reach. Only where it is configured. */
@Injectable()
export class MetricsServer implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Metrics');
  private server: Server | undefined;

  constructor(
    private readonly metrics: MetricsRegistry,
    private readonly config: GatewayConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { port, host } = this.config.metrics;
    if (port === undefined) return;
    const server = createServer((request, response) => {
      if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
        response.writeHead(404).end('Only GET /metrics is served here.\n');
        return;
      }
      this.metrics.print().then(
        (text) => response.writeHead(200, { 'content-type': this.metrics.registry.contentType }).end(text),
        (error: unknown) => {
          this.logger.error({ msg: 'metrics could not be read', error: describeError(error) });
          response.writeHead(503).end('The metrics could not be read.\n');
        },
      );
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        const reason = `The port of metrics ${host}:${port} cannot be used (${error.code ?? 'unknown error'}). Set METRICS_PORT and METRICS_HOST to a free one.`;
        reject(new BootError(reason, { cause: error }));
      });
      server.listen(port, host, resolve);
    });
    const { address, port: bound } = server.address() as AddressInfo;
    const printed = address.includes(':') ? `[${address}]` : address;
    this.logger.log({ msg: 'metrics are served without a key', url: `http://${printed}:${bound}/metrics` });
  }

  onApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }
}
