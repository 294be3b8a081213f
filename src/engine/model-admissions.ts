import type { CallContext } from '../calls/call-context.js';
import { boundNanoDollars } from '../runtime/nano-dollars.js';
import { GatewayError } from '../errors/gateway-error.js';
import type { ResolvedModel } from '../routing/resolved-model.js';
import type { Admission } from '../limits/admission.js';
import type { Limits } from '../limits/limits.service.js';
import type { OperationName } from '../operations/operation-types.js';
import type { TrackedCall } from './tracked-call.js';

/**
 * The reservations of one call: first with the limits of its key and its model, then with those of a fallback when it is about
 * to be tried, so that a model's limits apply under each name.
 */
export class ModelAdmissions {
  /** Limits that were already reserved. */
  private readonly counted = new Set<string>();
  private refusals: Map<string, GatewayError> | undefined;

  /**
   * @param isMade whether the provider has the request or has made the response already, so that no limit refuses the call
   * @param reservationId see `AdmissionRequest`
   */
  constructor(
    private readonly limits: Limits,
    private readonly call: TrackedCall<OperationName>,
    private readonly isMade = false,
    private readonly reservationId?: string,
  ) {}

  /**
   * @param models the model and its fallbacks
   * @throws GatewayError when a limit or budget is reached
   */
  first(model: ResolvedModel, models: () => Iterable<ResolvedModel>): Promise<void> | undefined {
    const { accounts } = this.call.context.principal;
    const admission = this.reserve(model, accounts, () => [...models()]);
    return admission?.then((reserved) => {
      this.call.admission = reserved;
    });
  }

  /** @returns undefined when a fallback may be tried; otherwise why it may not */
  fallback(model: ResolvedModel): Promise<GatewayError | undefined> | GatewayError | undefined {
    const refusal = this.refusals?.get(model.id);
    if (refusal !== undefined) return refusal;
    const accounts = model.accounts.filter(({ id }) => !this.counted.has(id));
    if (accounts.length === 0) return undefined;
    return this.reserve({ ...model, accounts }, [], () => [model])?.then(
      (reserved) => {
        const { admission } = this.call;
        this.call.admission = admission === undefined ? reserved : joined(admission, reserved);
        return undefined;
      },
      (error: unknown) => {
        if (!(error instanceof GatewayError) || this.call.context.signal.aborted) throw error;
        (this.refusals ??= new Map<string, GatewayError>()).set(model.id, error);
        return error;
      },
    );
  }

  private reserve(
    model: ResolvedModel,
    accounts: CallContext['principal']['accounts'],
    models: () => readonly ResolvedModel[],
  ): Promise<Admission> | undefined {
    const { operation, request, context, startedAt } = this.call;
    for (const { id } of model.accounts) this.counted.add(id);
    const mayWait = context.source === 'batch';
    const { keyId, groupId } = context.principal;
    const { signal } = context;
    return this.limits.admit({
      keyId,
      groupId,
      operation,
      request,
      accounts,
      model,
      startedAt,
      mayWait,
      signal,
      models,
      isMade: this.isMade,
      reservationId: this.reservationId,
    });
  }
}

function joined(first: Admission, later: Admission): Admission {
  return {
    headers: { ...later.headers, ...first.headers },
    leave: () => {
      first.leave();
      later.leave();
    },
    settle: async (tokens, cost) => {
      await first.settle(tokens, cost);
      await later.settle(tokens, cost);
    },
    coverAnother: async () => (await first.coverAnother()) && (await later.coverAnother()),
    get reserved() {
      return boundNanoDollars(Math.max(first.reserved, later.reserved));
    },
  };
}
