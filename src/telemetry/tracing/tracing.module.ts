import { DynamicModule, Global, Module } from '@nestjs/common';
import { CallsModule } from '../../calls/calls.module.js';
import { CallTracing } from '../../calls/call-tracing.js';
import type { TracingConfig } from '../../config/gateway-config.js';
import { RoutingModule } from '../../routing/routing.module.js';
import { RequestTracing } from '../request-tracing.js';
import { CallSpans } from './call-spans.js';
import { HttpSpans } from './http-spans.js';
import { ResponseAttributes } from './response-attributes.js';
import { SpanExport } from './span-export.js';

/** Traces. A separate module, so that OpenTelemetry is not loaded where tracing is off. */
@Global()
@Module({})
export class TracingModule {
  static forRoot(config: TracingConfig): DynamicModule {
    return {
      module: TracingModule,
      imports: [CallsModule, RoutingModule],
      providers: [
        { provide: SpanExport, useFactory: () => new SpanExport(config) },
        { provide: CallTracing, useClass: CallSpans },
        ResponseAttributes,
        { provide: RequestTracing, useClass: HttpSpans },
      ],
      exports: [CallTracing, RequestTracing],
    };
  }
}
