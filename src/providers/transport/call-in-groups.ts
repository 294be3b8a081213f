import { GatewayError } from '../../errors/gateway-error.js';
import type { CancelSignal } from '../../runtime/cancel-signal.js';
import { LinkedAbort } from '../../runtime/linked-abort.js';

/** Milliseconds in which calls that are refused together end. */
const TOGETHER_MS = 100;

/**
 * Makes one upstream call for each group of a request's inputs, some of them at once, and returns the responses in the order of the
 * groups. The first failure aborts those in flight, and no further ones are made.
 *
 * @throws the first failure; where another call has succeeded or is aborted, the provider may bill the request
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
  let hasFailed = false;
  const work = async (): Promise<void> => {
    for (const [index, group] of entries) {
      if (hasFailed) return;
      parts[index] = await call(group, abort.signal);
      succeeded += 1;
    }
  };
  const workers = Array.from({ length: Math.min(concurrency, groups.length) }, work);
  try {
    await Promise.all(workers);
    return parts;
  } catch (error) {
    hasFailed = true;
    const isOver = await areOver(workers);
    abort.abort();
    const others = await Promise.allSettled(workers);
    throw succeeded > 0 || !isOver || others.some(isBilled) ? asBilled(error) : error;
  } finally {
    abort.unlink();
  }
}

/**
 * Whether all of several calls end within a moment, as those do that a provider refuses together. The provider may be working on the
 * others.
 */
export async function areOver(calls: readonly Promise<unknown>[]): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const moment = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), TOGETHER_MS)));
  try {
    return await Promise.race([Promise.allSettled(calls).then(() => true as const), moment]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a provider may bill a call that has ended. */
export function isBilled(result: PromiseSettledResult<unknown>): boolean {
  if (result.status === 'fulfilled') return true;
  return result.reason instanceof GatewayError && result.reason.mayBeBilled;
}

/** The error as one of a request that its provider may bill. */
export function asBilled(error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.mayBeBilled) return error;
  const { status, type, code, message, param, retryable, rejectedByGateway } = error;
  const { isConnectionFault, isContentRefusal, isOutOfQuota, headers, cause } = error;
  const billed = new GatewayError({
    status,
    type,
    code: code,
    message,
    param,
    retryable,
    rejectedByGateway,
    isConnectionFault,
    isContentRefusal,
    headers,
    cause,
    isOutOfQuota,
    mayBeBilled: true,
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  });
  billed.upstream = error.upstream;
  return billed;
}
