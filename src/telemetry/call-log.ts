import { Injectable, Logger } from '@nestjs/common';
import { CallEvents } from '../calls/call-events.js';
import { rememberFailedCall } from './failed-calls.js';

/** One line for each failed call to a model, live or of a batch: the deployments that were tried, and their errors. */
@Injectable()
export class CallLog {
  private readonly logger = new Logger('Calls');

  constructor(events: CallEvents) {
    events.onEnded((outcome) => {
      const call = outcome.status === 'failed' ? rememberFailedCall(outcome) : undefined;
      if (call === undefined) return;
      const { requestId, principal, source, task } = outcome.context;
      this.logger.warn({
        msg: 'a call to a model failed',
        request_id: requestId,
        key_id: principal.keyId,
        source,
        operation: outcome.operation.name,
        ...(task !== undefined && { batch_id: task.jobId, task: task.index }),
        model: call.model,
        error_code: outcome.error?.code,
        attempts: call.attempts,
      });
    });
  }
}
