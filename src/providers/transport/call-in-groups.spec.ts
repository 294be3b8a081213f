import { rateLimitExceeded, type GatewayError } from '../../errors/gateway-error.js';
import { CancelSource, type CancelSignal } from '../../runtime/cancel-signal.js';
import { waitOrAbort } from '../../runtime/delay.js';
import { asBilled, callInGroups } from './call-in-groups.js';

const REFUSED = rateLimitExceeded({ message: 'limited', retryable: true, retryAfterMs: 5 });

type Kind = 'succeeds' | 'is refused' | 'works';

/** Calls that end as they are named. @returns the error, and the calls that were made and aborted */
async function callAll(kinds: readonly Kind[], concurrency = kinds.length) {
  const begun: number[] = [];
  const aborted: number[] = [];
  const groups = kinds.map((kind, index) => ({ kind, index }));
  const call = async ({ kind, index }: (typeof groups)[number], signal: CancelSignal): Promise<number> => {
    begun.push(index);
    await Promise.resolve();
    if (kind === 'is refused') throw REFUSED;
    if (kind === 'works') {
      await waitOrAbort(signal, () => () => undefined).catch((reason: unknown) => {
        aborted.push(index);
        throw reason;
      });
    }
    return index;
  };
  const error = await callInGroups(groups, concurrency, new CancelSource(), call).then(
    () => undefined,
    (reason: unknown) => reason as GatewayError,
  );
  return { error, begun, aborted };
}

describe('calls that make one response together', () => {
  it.each<[readonly Kind[], boolean]>([
    [['is refused', 'is refused'], false],
    [['is refused', 'succeeds'], true],
    [['succeeds', 'is refused'], true],
    [['is refused', 'works'], true],
  ])('are billed where the provider has worked on one of them: %j', async (kinds, isBilled) => {
    const { error, aborted } = await callAll(kinds);
    expect(error).toMatchObject({ status: 429, retryAfterMs: 5, mayBeBilled: isBilled });
    expect(aborted).toEqual(kinds.flatMap((kind, index) => (kind === 'works' ? [index] : [])));
  });

  it('are not begun any more once one has failed', async () => {
    const { begun } = await callAll(['is refused', 'succeeds', 'succeeds', 'succeeds'], 1);
    expect(begun).toEqual([0]);
  });

  it('keep what is known of the failure', () => {
    const refused = Object.assign(rateLimitExceeded({ message: 'no', retryAfterMs: 1 }), { isContentRefusal: true });
    expect(asBilled(refused)).toMatchObject({ isContentRefusal: true, mayBeBilled: true, message: 'no' });
  });
});
