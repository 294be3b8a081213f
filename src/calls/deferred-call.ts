import type { Admission } from '../limits/admission.js';
import type { Exchange, ExchangedRequest } from '../providers/transport/exchange.js';

/** A call of a deployment whose response comes by a batch of the provider. */
export interface DeferredCall {
  /** `provider/model`. */
  readonly deploymentId: string;
  /** Gives the provider's response. Absent while the request is only written, for `composed`. */
  readonly exchange?: Exchange | undefined;
  /** Takes the request as it is sent to the provider, and the names of fields that it does not have. */
  readonly composed?: (request: ExchangedRequest, droppedParams: readonly string[]) => void;
  /** Takes the reservation of the call, which its completion settles; undefined where nothing is limited. */
  readonly admitted?: (admission: Admission | undefined) => void;
  /** Names what is reserved in budgets, so that another process can reserve it again. */
  readonly reservationId?: string;
  /** Whether the provider has the request already: without `exchange` it is only reserved again, and no limit refuses it. */
  readonly isSubmitted?: boolean;
  /** What was reserved when the request was written. */
  readonly admission?: Admission | undefined;
}
