import { Injectable, Logger } from '@nestjs/common';
import { describeError } from '../errors/describe-error.js';
import type { CallOutcome } from './call-outcome.js';

export type CallListener = (outcome: CallOutcome) => void;

/** Notifies listeners (usage, limits, metrics, traces) of the outcome of each call, exactly once. */
@Injectable()
export class CallEvents {
  private readonly logger = new Logger('Calls');
  private readonly listeners: CallListener[] = [];

  /** Listeners run in the request's own turn, so they should only note what they need and do the work later. */
  onEnded(listener: CallListener): void {
    this.listeners.push(listener);
  }

  ended(outcome: CallOutcome): void {
    for (const listener of this.listeners) {
      try {
        listener(outcome);
      } catch (error) {
        // A fault in counting must not cost the client its response.
        this.logger.error({ msg: 'a listener of call outcomes failed', error: describeError(error) });
      }
    }
  }
}
