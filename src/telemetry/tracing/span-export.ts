import { Injectable, Logger, OnApplicationShutdown } from '@nestjs/common';
import { diag, DiagLogLevel, type Tracer } from '@opentelemetry/api';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { TracingConfig } from '../../config/gateway-config.js';
import { VERSION } from '../../runtime/version.js';

/** Longest wait at shutdown for the collector to accept the last spans, in milliseconds. */
const FLUSH_TIMEOUT_MS = 3_000;
/** Interval between log lines about a collector that is down, in milliseconds. */
const LOG_INTERVAL_MS = 60_000;

/**
 * Spans go into a bounded queue and are exported from there in the background. While the collector is down they are dropped once
 * the queue is full; no request waits for it.
 */
@Injectable()
export class SpanExport implements OnApplicationShutdown {
  readonly tracer: Tracer;
  private readonly logger = new Logger('Tracing');
  private readonly provider: BasicTracerProvider;
  private loggedAt = -Infinity;

  constructor({ serviceName, resource }: TracingConfig) {
    // The packages' own logger is off; failed exports are reported by the error handler.
    diag.disable();
    diag.setLogger({ error: noop, warn: noop, info: noop, debug: noop, verbose: noop }, DiagLogLevel.NONE);
    setGlobalErrorHandler((error) => this.failed(error));
    this.provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ ...resource, 'service.name': serviceName, 'service.version': VERSION }),
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
    });
    this.tracer = this.provider.getTracer('llm-gateway', VERSION);
  }

  async onApplicationShutdown(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FLUSH_TIMEOUT_MS);
    });
    await Promise.race([this.provider.shutdown().catch((error: unknown) => this.failed(error)), timeout]);
    clearTimeout(timer);
  }

  private failed(error: unknown): void {
    if (performance.now() - this.loggedAt < LOG_INTERVAL_MS) return;
    this.loggedAt = performance.now();
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const name = error instanceof Error ? error.name : 'unknown';
    this.logger.warn({ msg: 'spans could not be exported; some are lost', error: name, code });
  }
}

function noop(): void {
  // Intentionally empty.
}
