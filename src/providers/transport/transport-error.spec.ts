import { phaseTimeout, transportError } from './transport-error.js';

describe('failures of the connection to a provider', () => {
  it('may be billed once the request has reached the provider', () => {
    expect(phaseTimeout('connect', 1_000)).toMatchObject({ mayBeBilled: false, isConnectionFault: true });
    for (const phase of ['firstByte', 'idle'] as const) {
      expect(phaseTimeout(phase, 1_000)).toMatchObject({ mayBeBilled: true, isConnectionFault: false, status: 504 });
    }
    for (const mayBeBilled of [true, false]) {
      expect(transportError(new Error('reset'), 'idle', mayBeBilled)).toMatchObject({ mayBeBilled, status: 502 });
    }
  });

  it('are the gateway’s own where it has no descriptor left', () => {
    const cause = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    expect(transportError(cause, 'connect', false)).toMatchObject({ rejectedByGateway: true, status: 503 });
  });
});
