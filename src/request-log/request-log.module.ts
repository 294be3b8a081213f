import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module.js';
import { CallsModule } from '../calls/calls.module.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { ContentCipher } from './content-cipher.js';
import { RequestLogController } from './request-log.controller.js';
import { RequestLogEntry } from './request-log.entity.js';
import { RequestLogRecorder } from './request-log-recorder.js';
import { RequestLogService } from './request-log.service.js';
import { RequestLogSweeper } from './request-log-sweeper.js';

/** Prompts and responses of keys with a request log, encrypted. */
@Module({
  imports: [AuditModule, CallsModule, TypeOrmModule.forFeature([RequestLogEntry])],
  controllers: [RequestLogController],
  providers: [
    {
      provide: ContentCipher,
      inject: [GatewayConfig],
      useFactory: ({ requestLog }: GatewayConfig) =>
        new ContentCipher(requestLog.keys.map((key) => Buffer.from(key, 'hex'))),
    },
    RequestLogService,
    RequestLogRecorder,
    RequestLogSweeper,
  ],
})
export class RequestLogModule {}
