import { DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { AdminModule } from './admin/admin.module.js';
import { ConsoleModule } from './console/console.module.js';
import { AuthModule } from './auth/auth.module.js';
import { KeyGuard } from './auth/key.guard.js';
import { BatchModule } from './batch/batch.module.js';
import { FilesModule } from './files/files.module.js';
import { ChatModule } from './chat/chat.module.js';
import { MessagesModule } from './messages/messages.module.js';
import { EmbeddingsModule } from './embeddings/embeddings.module.js';
import { ModerationsModule } from './moderations/moderations.module.js';
import { CompletionsModule } from './completions/completions.module.js';
import { ResponsesModule } from './responses/responses.module.js';
import { RerankModule } from './rerank/rerank.module.js';
import { AudioModule } from './audio/audio.module.js';
import { ImagesModule } from './images/images.module.js';
import { GeminiModule } from './gemini/gemini.module.js';
import { ConfigModule } from './config/config.module.js';
import type { Configuration, TracingConfig } from './config/gateway-config.js';
import { DatabaseModule } from './database/database.module.js';
import { GatewayExceptionFilter } from './http/gateway-exception.filter.js';
import { HealthModule } from './health/health.module.js';
import { JsonBodyInterceptor } from './http/json-body.interceptor.js';
import { OutsideTextGuard } from './http/outside-text.guard.js';
import { ModelEndpointModule } from './model-endpoint/model-endpoint.module.js';
import { ModelsModule } from './models/models.module.js';
import { ClusterModule } from './cluster/cluster.module.js';
import { NoClusterPeers, type ClusterPeers } from './cluster/cluster-peers.js';
import { SCHEMA } from './schema.js';
import { RedisModule } from './redis/redis.module.js';
import { AccountingModule } from './accounting/accounting.module.js';
import { UsageModule } from './usage/usage.module.js';
import { RequestLogModule } from './request-log/request-log.module.js';
import { TelemetryModule } from './telemetry/telemetry.module.js';

@Module({})
export class AppModule {
  /** The whole application for one validated configuration. */
  static forRoot(config: Configuration, peers: ClusterPeers = new NoClusterPeers()): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        DatabaseModule.forRoot(SCHEMA),
        RedisModule,
        ClusterModule.forRoot(peers),
        AuthModule,
        ModelEndpointModule,
        ModelsModule,
        ChatModule,
        GeminiModule,
        EmbeddingsModule,
        MessagesModule,
        RerankModule,
        CompletionsModule,
        ResponsesModule,
        ModerationsModule,
        ImagesModule,
        AudioModule,
        FilesModule,
        BatchModule.forRoot(config),
        AccountingModule,
        UsageModule,
        HealthModule,
        TelemetryModule,
        RequestLogModule,
        AdminModule,
        ConsoleModule,
        ...(config.tracing === undefined ? [] : [loadTracing(config.tracing)]),
      ],
      providers: [
        GatewayExceptionFilter,
        JsonBodyInterceptor,
        { provide: APP_FILTER, useExisting: GatewayExceptionFilter },
        { provide: APP_GUARD, useExisting: KeyGuard },
        { provide: APP_GUARD, useClass: OutsideTextGuard },
        // Interceptors run after guards, so the caller is known before a byte of the body is read.
        { provide: APP_INTERCEPTOR, useExisting: JsonBodyInterceptor },
      ],
    };
  }
}

async function loadTracing(config: TracingConfig): Promise<DynamicModule> {
  const { TracingModule } = await import('./telemetry/tracing/tracing.module.js');
  return TracingModule.forRoot(config);
}
