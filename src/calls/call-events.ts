import { Injectable, Logger } from '@nestjs/common';
import { describeError } from '../errors/describe-error.js';
import type { CallOutcome } from './call-outcome.js';

export type CallListener = (outcome: CallOutcome) => void;

/** Tells whoever counts (usage, limits, metrics, traces) how each call ended, exactly once for each. */
@Injectable()
export class CallEvents {
  private readonly logger = new Logger('Calls');
  private readonly listeners: CallListener[] = [];

  /** Listeners run in the request's own turn, so they note what they need and leave the work for later. */
  onEnded(listener: CallListener): void {
    this.listeners.push(listener);
  }

  ended(outcome: CallOutcome): void {
    for (const listener of this.listeners) {
      try {
        listener(outcome);
      } catch (error) {
        // A fault in counting is no reason to take an answer from a client.
        this.logger.error({ msg: 'a listener of call outcomes failed', error: describeError(error) });
      }
    }
  }
}
