import { GatewayError } from '../../errors/gateway-error.js';
import type { CancelSignal } from '../../runtime/cancel-signal.js';
import { LinkedAbort } from '../../runtime/linked-abort.js';

/**
 * Makes one upstream call for each group of a request's inputs, some of them at once, and returns the responses in the order of the
 * groups. The first failure aborts those in flight, and no further ones are made.
 *
 * @throws the first failure; where another call had succeeded, the provider may bill the request
 */
export async function callInGroups<Group, Part>(
  groups: readonly Group[],
  concurrency: number,
  caller: CancelSignal,
  call: (group: Group, signal: CancelSignal) => Promise<Part>,
): Promise<Part[]> {
  const [only, ...others] = groups;
  if (only !== undefined && others.length === 0) return [await call(only, caller)];
  const abort = new LinkedAbort(caller);
  const parts: Part[] = [];
  const entries = groups.entries();
  let succeeded = 0;
  const work = async (): Promise<void> => {
    for (const [index, group] of entries) {
      parts[index] = await call(group, abort.signal);
      succeeded += 1;
    }
  };
  const workers = Array.from({ length: Math.min(concurrency, groups.length) }, work);
  try {
    await Promise.all(workers);
    return parts;
  } catch (error) {
    abort.abort();
    await Promise.allSettled(workers);
    throw succeeded > 0 ? asBilled(error) : error;
  } finally {
    abort.unlink();
  }
}

function asBilled(error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.mayBeBilled) return error;
  const { status, type, code, message, param, retryable, rejectedByGateway } = error;
  const { isConnectionFault, isOutOfQuota, headers, cause } = error;
  const billed = new GatewayError({
    status,
    type,
    code: code,
    message,
    param,
    retryable,
    rejectedByGateway,
    isConnectionFault,
    headers,
    cause,
    isOutOfQuota,
    mayBeBilled: true,
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  });
  billed.upstream = error.upstream;
  return billed;
}
