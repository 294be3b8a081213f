import { Injectable } from '@nestjs/common';
import { defaultTextMapGetter, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { HttpRequest, HttpResponse } from '../../http/http-types.js';
import { AccessLog, routeOf } from '../access-log.js';
import { RequestTracing } from '../request-tracing.js';
import { SpanExport } from './span-export.js';

/** Paths that monitoring requests all the time. */
const QUIET = /^\/(?:health|metrics|docs)(?:[/?]|$)/;

/** A server span for each HTTP request, under the client's own where it sent a `traceparent`. */
@Injectable()
export class HttpSpans extends RequestTracing {
  private readonly propagator = new W3CTraceContextPropagator();

  constructor(private readonly spans: SpanExport) {
    super();
  }

  readonly prepare = (request: HttpRequest, response: HttpResponse): void => {
    if (QUIET.test(request.url)) return;
    const parent = this.propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter);
    const { method } = request;
    const span = this.spans.tracer.startSpan(
      method,
      { kind: SpanKind.SERVER, attributes: { 'http.request.method': method, 'gateway.request_id': request.id } },
      parent,
    );
    response.locals['span'] = span;
    const { traceId, traceFlags } = span.spanContext();
    // The id of a trace that is not sampled would be useless in the log.
    if ((traceFlags & TraceFlags.SAMPLED) !== 0) AccessLog.fieldsOf(response).trace_id = traceId;
    response.once('close', () => {
      // The matched pattern, never the URL: a path or a query may contain what must not be stored.
      const route = routeOf(request);
      const status = response.statusCode;
      span.updateName(`${method} ${route}`);
      span.setAttributes({ 'http.route': route, 'http.response.status_code': status });
      if (status >= 500 || !response.writableFinished) {
        span.setAttribute('error.type', response.writableFinished ? String(status) : 'client_closed_request');
        if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    });
  };
}
