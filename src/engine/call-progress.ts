import type { GatewayError } from '../errors/gateway-error.js';
import type { OperationName, RequestOf } from '../operations/operation-types.js';
import type { Deployment } from '../routing/resolved-model.js';
import type { Attempt } from './attempt.js';
import type { CallRoute } from './call-route.js';
import type { Candidates, FullDeployments } from './candidates.js';
import type { ModelAdmissions } from './model-admissions.js';
import type { AllowedRequest } from './provider-options.js';
import type { TrackedCall } from './tracked-call.js';

/** An attempt, and why it failed. */
export interface FailedAttempt {
  readonly attempt: Attempt;
  readonly error: GatewayError;
}

/** The state that the attempts of one call share. */
export interface Progress<Name extends OperationName> {
  readonly call: TrackedCall<Name>;
  readonly route: CallRoute;
  readonly allowed: AllowedRequest<Name>;
  readonly admissions: ModelAdmissions;
  readonly candidates: Candidates;
  /** Candidates that were not tried yet. */
  readonly rest: Iterator<Attempt | FullDeployments>;
  /** By `performance.now()`. */
  readonly deadline: number;
  attempts: number;
  /** Attempts that failed, as opposed to being refused. */
  failures: number;
  /** The reason of the last one. */
  failure: GatewayError | undefined;
  /** The last attempt, where it failed. */
  failed: FailedAttempt | undefined;
  /** Deployments that were tried a second time, with whether they had asked for a pause; undefined while there is none. */
  triedAgain: Map<string, boolean> | undefined;
  /** The request in place of the client's, by deployment. */
  requestOf: ((deployment: Deployment) => RequestOf<Name>) | undefined;
  /** Headers of the last attempt's provider that the client gets. */
  providerHeaders: Readonly<Record<string, string>>;
}
