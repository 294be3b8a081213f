import type { ShortCircuit } from '../calls/call-hook.js';
import type { GatewayError } from '../errors/gateway-error.js';
import type { OperationName, RequestOf } from '../operations/operation-types.js';
import type { OperationPort, ProviderCall } from '../providers/provider.js';
import type { Deployment } from '../routing/resolved-model.js';
import type { Attempt } from './attempt.js';
import type { ServedBy } from './served-by.js';

/** The parameters of one attempt. */
export interface PreparedAttempt<Name extends OperationName> {
  readonly port: OperationPort<Name>;
  readonly providerCall: ProviderCall<RequestOf<Name>>;
  readonly attempt: Attempt;
  readonly servedBy: ServedBy;
  /** Tries the remaining candidates once the stream of this attempt has broken. */
  readonly resume: Resume<Name>;
}

/**
 * Tries further deployments of a call whose stream broke.
 *
 * @param failure what broke it
 * @param requestOf the request to send to a deployment
 * @param attempt sends it
 * @throws GatewayError why none could go on
 */
export type Resume<Name extends OperationName> = <Result>(
  failure: GatewayError,
  requestOf: (deployment: Deployment) => RequestOf<Name>,
  attempt: (prepared: PreparedAttempt<Name>) => Promise<Result>,
) => Promise<Result>;

/** How a response is had: from an attempt, or from a hook in place of all attempts. */
export interface Sender<Name extends OperationName, Result> {
  attempt(prepared: PreparedAttempt<Name>): Promise<Result>;
  shortCircuit(response: ShortCircuit<Name>, servedBy: ServedBy): Result;
}
