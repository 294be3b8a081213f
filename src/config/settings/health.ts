import { section, type GroupValue } from './composites.js';
import { choice, decimal, duration, integer } from './kinds.js';
import { setting, type ValueOf } from './setting.js';

const BREAKER = {
  failures: setting(integer({ minimum: 1, maximum: 1_000, of: 'calls' }), {
    description: 'Failures in a row after which a deployment is not called for a while.',
    default: 3,
  }),
  first_open: setting(duration(), {
    description:
      'Pause before the first trial. Up to a tenth is added at random. Each failed trial makes it a quarter longer.',
    default: '6s',
  }),
  max_open: setting(duration(), { description: 'Longest pause before a trial.', default: '5m' }),
};

const EJECTION = {
  error_rate: setting(decimal({ form: 'number from 0 to 1', minimum: 0, maximum: 1 }), {
    description:
      "A deployment is ejected when its error rate is higher by this than that of the model's other deployments. `1`: never.",
    default: 0.3,
  }),
  latency_factor: setting(decimal({ form: 'number of at least 1.5', minimum: 1.5 }), {
    description:
      "A deployment is ejected when its average time to first byte is this many times that of the model's other deployments.",
    without: 'slow deployments are not ejected',
    example: 3,
  }),
  min_calls: setting(integer({ minimum: 1, maximum: 100_000, of: 'calls' }), {
    description: 'Calls of the last 30 s that a deployment must have had to be compared.',
    default: 20,
  }),
  max_share: setting(decimal({ form: 'number from 0 to 1', minimum: 0, maximum: 1 }), {
    description: "Largest share of a model's deployments that is ejected at once. One always stays.",
    default: 0.5,
  }),
  first_time: setting(duration(), {
    description: 'Time for which a deployment is ejected at first. Each further ejection doubles it.',
    default: '30s',
  }),
  max_time: setting(duration(), { description: 'Longest time of an ejection.', default: '5m' }),
};

export const HEALTH = section('How the gateway notices that a deployment fails or is well again.', {
  breaker: section('The circuit breaker of each deployment.', BREAKER),
  probe: setting(choice(['off', 'models', 'request']), {
    description:
      "How deployments with an open breaker are tested in the background. `models`: by the provider's list of models, which costs nothing. `request`: by a chat request for one token, which the provider bills. `off`: only by requests of clients.",
    default: 'models',
  }),
  ejection: section("When a deployment that is worse than the model's others is tried last.", EJECTION),
  slow_start: setting(duration({ zero: true }), {
    description: 'Time in which the share of a deployment that has recovered grows from a tenth to the whole.',
    default: '10s',
  }),
  quota_pause: setting(duration(), {
    description:
      'Pause of a deployment whose account has no quota or credit left, where the provider does not say when it has some again.',
    default: '10m',
  }),
});

/** Durations in milliseconds. */
export type HealthSettings = ValueOf<typeof HEALTH>;
export type BreakerSettings = GroupValue<typeof BREAKER>;
export type EjectionSettings = GroupValue<typeof EJECTION>;

/** The settings of a file without this section. */
export const DEFAULT_HEALTH: HealthSettings = HEALTH.read(
  undefined,
  { variable: () => undefined, fault: () => undefined },
  'health',
);
