import { Injectable } from '@nestjs/common';
import { CallHooks, type CallHook, type HookedCall } from '../../calls/call-hook.js';
import type { CallOutcome } from '../../calls/call-outcome.js';
import { GatewayConfig } from '../../config/gateway-config.js';
import type { RecordingDetail } from '../../operations/operation.js';
import type { OperationName } from '../../operations/operation-types.js';

/** Describes the response in the span of the provider that gave it, with prompt and response where the configuration asks for content. */
@Injectable()
export class ResponseAttributes implements CallHook {
  readonly name = 'traces';
  readonly order = 900;
  private readonly capturesContent: boolean;

  constructor({ tracing }: GatewayConfig, hooks: CallHooks) {
    this.capturesContent = tracing?.captureContent === true;
    hooks.add(this);
  }

  detail({ trace }: HookedCall<OperationName>): RecordingDetail {
    if (trace?.isRecording !== true) return 'nothing';
    return this.capturesContent ? 'content' : 'outline';
  }

  after({ trace, collector }: CallOutcome): void {
    if (trace?.isRecording !== true) return;
    trace.describeLast(collector.attributes());
    if (this.capturesContent) trace.describeLast(collector.contentAttributes());
  }
}
