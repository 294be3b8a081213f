import { GatewayError } from '../errors/gateway-error.js';
import { AttemptTimeout } from './attempt-timeout.js';

describe('AttemptTimeout', () => {
  it('is aborted with an upstream_timeout when the total is over', async () => {
    const keepAwake = setTimeout(() => undefined, 1_000);
    const signal = new AttemptTimeout(new AbortController().signal, 10);
    await new Promise<void>((resolve) => signal.addEventListener('abort', resolve));
    clearTimeout(keepAwake);
    expect(signal.reason).toBeInstanceOf(GatewayError);
    expect(signal.reason).toMatchObject({ status: 504, code: 'upstream_timeout' });
  });

  it('is aborted with the caller’s reason, before or after it was made', () => {
    const reason = new Error('gone');
    const before = AbortSignal.abort(reason);
    expect(new AttemptTimeout(before, 1_000).reason).toBe(reason);
    const caller = new AbortController();
    const deadline = new AttemptTimeout(caller.signal, 1_000);
    caller.abort(reason);
    expect(deadline.reason).toBe(reason);
    deadline.clear();
  });

  it('lets go of the caller once cleared', () => {
    const caller = new AbortController();
    const deadline = new AttemptTimeout(caller.signal, 1_000);
    deadline.clear();
    caller.abort(new Error('late'));
    expect(deadline.aborted).toBe(false);
  });
});
