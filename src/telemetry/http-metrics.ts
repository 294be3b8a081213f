import { Injectable } from '@nestjs/common';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { codeLabel } from '../errors/error-codes.js';
import { MetricsRegistry } from '../metrics/metrics-registry.js';
import { type CounterSeries, type HistogramSeries, PlainCounter, PlainHistogram } from '../metrics/plain-metrics.js';

/** Seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS']);
/** The client disconnected before its response was complete; the code that nginx uses. */
const CLIENT_CLOSED = 499;

/** Metrics of HTTP: responses by route and status. Routes are patterns, never URLs. */
@Injectable()
export class HttpMetrics {
  private readonly requests: PlainCounter;
  private readonly durations: PlainHistogram;
  private readonly errors: PlainCounter;
  private readonly byResponse = new Map<
    string,
    { readonly count: CounterSeries; readonly duration: HistogramSeries }
  >();

  constructor({ registry }: MetricsRegistry) {
    this.requests = new PlainCounter(
      'gateway_http_requests_total',
      'HTTP requests by route and status; 499 where the client went away.',
      registry,
    );
    this.durations = new PlainHistogram(
      'gateway_http_request_duration_seconds',
      'From the headers of a request to the end of its response.',
      BUCKETS,
      registry,
    );
    this.errors = new PlainCounter(
      'gateway_errors_total',
      'Responses that are errors, and streams that ended early.',
      registry,
    );
  }

  /** Counts a response and its duration. @param errorCode of an error, or of a stream that ended early; null for none */
  responded(
    request: HttpRequest,
    response: HttpResponse,
    route: string,
    durationMs: number,
    errorCode: string | null,
  ): void {
    const status = response.writableFinished ? response.statusCode : CLIENT_CLOSED;
    const id = `${request.method} ${status} ${route}`;
    let series = this.byResponse.get(id);
    if (series === undefined) {
      const method = METHODS.has(request.method) ? request.method : 'other';
      series = {
        count: this.requests.series({ method, route, status: String(status) }),
        duration: this.durations.series({ method, route }),
      };
      // Node's parser knows a few dozen methods, so the number of ids is bounded.
      this.byResponse.set(id, series);
    }
    series.count.value += 1;
    series.duration.observe(durationMs / 1_000);
    if (errorCode !== null) this.errors.series({ code: codeLabel({ code: errorCode }) }).value += 1;
  }
}
