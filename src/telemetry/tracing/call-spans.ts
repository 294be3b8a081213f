import type { CallContext } from '../../calls/call-context.js';
import { Injectable, Logger } from '@nestjs/common';
import {
  type Context,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { AttemptOutcome, CallOutcome } from '../../calls/call-outcome.js';
import { type CallTrace, CallTracing } from '../../calls/call-tracing.js';
import type { AnyOperation, SpanAttributes } from '../../operations/operation.js';
import type { OperationName, RequestOf } from '../../operations/operation-types.js';
import { GatewayConfig } from '../../config/gateway-config.js';
import { describeError } from '../../errors/describe-error.js';
import type { Deployment } from '../../routing/resolved-model.js';
import { Routing } from '../../routing/routing.service.js';
import { providerName } from './provider-names.js';
import { SpanExport } from './span-export.js';
import { parseUrl } from '../../runtime/parse-url.js';

const propagator = new W3CTraceContextPropagator();

/** A client span for each call to a provider, under the span of its HTTP request or of its batch's task. */
@Injectable()
export class CallSpans extends CallTracing {
  private readonly logger = new Logger('Tracing');

  constructor(
    private readonly spans: SpanExport,
    private readonly routing: Routing,
    private readonly config: GatewayConfig,
  ) {
    super();
  }

  begin(
    operation: AnyOperation,
    request: RequestOf<OperationName>,
    context: CallContext,
    isStream: boolean,
  ): CallTrace {
    const { tracer } = this.spans;
    const task =
      context.source === 'live'
        ? undefined
        : tracer.startSpan('batch task', {
            kind: SpanKind.CONSUMER,
            attributes: {
              'gateway.request_id': context.requestId,
              ...(context.task !== undefined && {
                'gateway.batch.job_id': context.task.jobId,
                'gateway.batch.task_index': context.task.index,
              }),
            },
          });
    const span = task ?? context.span;
    const parent = span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span);
    const session = sessionAttributes(context);
    span?.setAttributes({ 'gateway.key_id': context.principal.keyId, 'gateway.stream': isStream, ...session });
    return new Trace(tracer, parent, span, task, operation, request, session, this.routing, this.logger);
  }
}

class Trace implements CallTrace {
  private readonly attempts: Span[] = [];

  constructor(
    private readonly tracer: Tracer,
    private readonly parent: Context,
    private readonly span: Span | undefined,
    private readonly task: Span | undefined,
    private readonly operation: AnyOperation,
    private readonly request: RequestOf<OperationName>,
    private readonly session: SpanAttributes,
    private readonly routing: Routing,
    private readonly logger: Logger,
  ) {}

  get isRecording(): boolean {
    return this.span?.isRecording() !== false;
  }

  attemptBegins({ provider, upstreamModel }: Deployment): Readonly<Record<string, string>> {
    const config = this.routing.current.providers.get(provider.name)?.config;
    const span = this.tracer.startSpan(
      `${this.operation.name} ${upstreamModel}`,
      { kind: SpanKind.CLIENT },
      this.parent,
    );
    if (span.isRecording()) {
      span.setAttributes({
        'gen_ai.operation.name': this.operation.name,
        'gen_ai.provider.name': config === undefined ? provider.name : providerName(config),
        'gen_ai.request.model': upstreamModel,
        ...this.operation.requestAttributes(this.request),
        ...this.session,
        ...serverAttributes(config?.baseUrl ?? ''),
        'gateway.provider': provider.name,
        'gateway.attempt': this.attempts.length + 1,
      });
    }
    this.attempts.push(span);
    const headers: Record<string, string> = {};
    propagator.inject(trace.setSpan(this.parent, span), headers, defaultTextMapSetter);
    return headers;
  }

  describeLast(attributes: SpanAttributes): void {
    const span = this.attempts.at(-1);
    if (span?.isRecording() === true) span.setAttributes(attributes);
  }

  ended(outcome: CallOutcome): void {
    try {
      outcome.attempts.forEach((attempt, at) => this.endAttempt(attempt, at));
      const { error, firstByte } = outcome;
      if (firstByte !== null) this.span?.setAttribute('gateway.time_to_first_byte', firstByte / 1_000);
      this.span?.setAttribute('gateway.attempts', outcome.attempts.length);
      if (outcome.recovered > 0) this.span?.setAttribute('gateway.recovered', outcome.recovered);
      if (error !== null) this.span?.setAttribute('error.type', error.code ?? String(error.status));
    } catch (error) {
      // A fault in tracing must not cost the client its response.
      this.logger.error({ msg: 'a trace failed', error: describeError(error) });
    } finally {
      for (const span of this.attempts) if (span.isRecording()) span.end();
      if (outcome.status === 'failed') this.task?.setStatus({ code: SpanStatusCode.ERROR });
      this.task?.end();
    }
  }

  private endAttempt({ model, startedAt, duration, error }: AttemptOutcome, at: number): void {
    const span = this.attempts[at];
    if (span?.isRecording() !== true) return;
    span.setAttribute('gateway.model', model);
    if (error !== null) {
      span.setAttribute('error.type', error.code ?? String(error.status));
      // A disconnect of the client is not an error.
      if (error.status !== 499) span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end(startedAt + duration);
  }
}

/** The client's session and its agent, as the GenAI conventions name them. */
function sessionAttributes({ session }: CallContext): SpanAttributes {
  if (session === undefined) return {};
  const { id, agentId } = session;
  return {
    ...(id !== null && { 'gen_ai.conversation.id': id }),
    ...(agentId !== null && { 'gen_ai.agent.id': agentId }),
  };
}

function serverAttributes(baseUrl: string): Record<string, string | number> {
  const url = parseUrl(baseUrl);
  if (url === undefined) return {};
  const { hostname, port, protocol } = url;
  return { 'server.address': hostname, 'server.port': Number(port) || (protocol === 'https:' ? 443 : 80) };
}
