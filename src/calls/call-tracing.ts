import type { CallContext } from './call-context.js';
import type { Deployment } from '../routing/resolved-model.js';
import type { CallOutcome } from './call-outcome.js';
import type { AnyOperation, SpanAttributes } from '../operations/operation.js';
import type { OperationName, RequestOf } from '../operations/operation-types.js';

/** The spans of one request to a model. */
export interface CallTrace {
  /** Whether the spans are sampled. */
  readonly isRecording: boolean;
  /** Adds attributes to the span of the last call to a provider. */
  describeLast(attributes: SpanAttributes): void;
  /** Begins the span of a call to a provider. @returns W3C headers that go to the provider with it */
  attemptBegins(deployment: Deployment): Readonly<Record<string, string>>;
  /** Ends all spans; called once. */
  ended(outcome: CallOutcome): void;
}

/** Creates the spans of calls. Provided only where tracing is on, so that it costs nothing where it is off. */
export abstract class CallTracing {
  abstract begin(
    operation: AnyOperation,
    request: RequestOf<OperationName>,
    context: CallContext,
    isStream: boolean,
  ): CallTrace;
}
