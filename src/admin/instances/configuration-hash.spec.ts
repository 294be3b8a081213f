import type { RoutingSettings } from '../../config/gateway-config.js';
import { DEFAULT_HEALTH } from '../../config/settings/health.js';
import { configurationHash } from './configuration-hash.js';

const base = (maxAnswerSize: number): RoutingSettings => ({
  providers: [],
  models: [],
  expose: 'all',
  retry: { maxWait: 5 },
  health: DEFAULT_HEALTH,
  upstream: { maxAnswerSize, timeouts: { connect: 1, firstByte: 2, idle: 3, total: 4 } },
});

describe('the hash of a configuration', () => {
  it('does not depend on the order of members', () => {
    const turned = { timeouts: { total: 4, idle: 3, firstByte: 2, connect: 1 }, maxAnswerSize: 5 };
    expect(configurationHash({ ...base(5), upstream: turned })).toBe(configurationHash(base(5)));
  });

  it('changes with any value', () => {
    expect(configurationHash(base(5))).not.toBe(configurationHash(base(6)));
    expect(configurationHash(base(5))).toMatch(/^[0-9a-f]{12}$/);
  });
});
