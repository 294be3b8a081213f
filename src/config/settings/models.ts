import { MAX_TOKENS } from '../../runtime/token-count.js';
import { group, list, section } from './composites.js';
import { choice, decimal, duration, integer, text } from './kinds.js';
import { PRICE } from './prices.js';
import { TIER_PRICES } from './tier-prices.js';
import { setting, type KindFile, type KindValue } from './setting.js';
import { MODEL_TIMEOUTS } from './upstream.js';

const NOT_BLANK: readonly [string, string] = ['\\S', 'must have a character that is not white space'];
const MODEL_ID = text({ minLength: 1, maxLength: 256, pattern: NOT_BLANK });

const DEPLOYMENT = group({
  provider: setting(text(), {
    description: 'A name under `providers`.',
    required: true,
    example: 'openai',
  }),
  model: setting(text({ minLength: 1, pattern: NOT_BLANK }), {
    description:
      "The model's id at the provider. Where the model's `id` is a pattern, `*` is the part that it matched.",
    required: true,
    example: 'gpt-5-mini',
  }),
  weight: setting(decimal({ form: 'number above 0', exclusiveMinimum: 0 }), {
    description: 'Share of the calls under the strategy `weighted`.',
    default: 1,
  }),
  concurrency: setting(integer({ minimum: 1, of: 'calls' }), {
    description: 'Calls to this deployment that one process has in flight at once. Further calls wait.',
    without: 'no limit',
    example: 8,
  }),
  tier_prices: setting(TIER_PRICES, {
    description: 'What tiers of service cost at this deployment.',
    without: 'those of the model',
  }),
});

const LIMITS = group({
  rpm: setting(integer({ minimum: 1, maximum: 1_000_000_000 }), {
    description: 'Requests per minute.',
    without: 'no limit',
    example: 600,
  }),
  tpm: setting(integer({ minimum: 1, maximum: 1_000_000_000 }), {
    description: 'Input and output tokens per minute.',
    without: 'no limit',
    example: 200_000,
  }),
  concurrency: setting(integer({ minimum: 1, maximum: 100_000 }), {
    description: 'Requests in flight at once.',
    without: 'no limit',
    example: 50,
  }),
});

const QUEUE = section('Where calls wait while every deployment is at its `concurrency`.', {
  size: setting(integer({ minimum: 0, of: 'calls' }), {
    description: 'Calls that may wait in one process.',
    default: 100,
  }),
  timeout: setting(duration(), { description: 'Longest wait.', default: '10s' }),
});

const MODEL = group({
  id: setting(MODEL_ID, {
    description:
      'What clients send as `model`. `openai/*` matches every id that begins with `openai/`; `*` matches all.',
    required: true,
    example: 'fast',
  }),
  aliases: setting(list(MODEL_ID), {
    description: 'Further ids of this model.',
    default: [],
    example: ['gpt-4o-mini'],
  }),
  strategy: setting(choice(['weighted', 'priority', 'least_busy', 'fastest']), {
    description:
      'Which deployment is tried first. `weighted`: drawn by weight. `priority`: in the order of the list. `least_busy`: fewest calls in flight. `fastest`: shortest time to first byte.',
    default: 'weighted',
  }),
  affinity: setting(choice(['session', 'none']), {
    description:
      'Whether the requests of a session go to the same deployment, so that its prompt cache is used: under `weighted`, and where the client names the session also under `least_busy` and `fastest`. `none`: each request by itself.',
    default: 'session',
  }),
  deployments: setting(list(DEPLOYMENT, { minItems: 1 }), {
    description: 'Where the model runs.',
    required: true,
  }),
  fallbacks: setting(list(text()), {
    description: 'Models to try, in order, when every deployment failed.',
    default: [],
    example: ['smart'],
  }),
  context_fallbacks: setting(list(text()), {
    description:
      'Models to try, in order, when the prompt is too long for this one, in place of `fallbacks`. Without any, those of the `fallbacks` are tried that are not known to take as little.',
    default: [],
    example: ['long-context'],
  }),
  stream_recovery: setting(choice(['off', 'restart', 'continue']), {
    description:
      'What happens to a stream that breaks after its first content. `continue`: another deployment goes on from the text that was sent. `restart`: another deployment answers again, and what agrees with the text that was sent is left out. `off`: the client gets an error.',
    default: 'continue',
  }),
  hold_back: setting(integer({ minimum: 0, maximum: 1_000, of: 'tokens' }), {
    description:
      'Newest tokens of a stream that are held back, so that a restarted stream may differ in them. Delays each token by as many.',
    default: 0,
  }),
  price: setting(PRICE, {
    description: 'What the model costs.',
    without: 'the price of the built-in catalog, where that has the model',
  }),
  tier_prices: setting(TIER_PRICES, {
    description: 'What the model costs in tiers of service that are not billed at the list price.',
    without: 'what the provider publishes',
  }),
  batch_pricing: setting(choice(['live', 'cheapest']), {
    description: 'Price tier of batches of this model that name none.',
    without: '`batch.pricing`',
    example: 'cheapest',
  }),
  limits: setting(LIMITS, {
    description: 'Limits of all keys together. They apply in addition to the limits of each key and group.',
    without: 'no limits',
  }),
  context_length: setting(integer({ minimum: 1, of: 'tokens' }), {
    description: 'Longest input and output together, shown by `GET /v1/models`.',
    without: 'the built-in catalog',
    example: 128_000,
  }),
  max_output_tokens: setting(integer({ minimum: 1, maximum: MAX_TOKENS, of: 'tokens' }), {
    description:
      'Longest output, shown by `GET /v1/models`. Budgets reserve it for a request that sets no limit of its own.',
    without: 'the built-in catalog, for the list only',
    example: 4_096,
  }),
  display_name: setting(text({ minLength: 1, pattern: NOT_BLANK }), {
    description: 'A name for people, shown by `GET /v1/models`.',
    without: 'none',
    example: 'Fast and cheap',
  }),
  timeouts: MODEL_TIMEOUTS,
  queue: QUEUE,
});

export const MODELS = setting(list(MODEL), { description: 'Models, by the ids that clients send.', default: [] });

export const EXPOSE = setting(choice(['all', 'listed']), {
  description: '`all`: every model is also reachable as `provider/model`. `listed`: only the ids under `models` are.',
  default: 'all',
});

export type ModelFile = KindFile<typeof MODEL>;
export type ModelSettings = KindValue<typeof MODEL>;
export type DeploymentConfig = KindValue<typeof DEPLOYMENT>;
export type Strategy = ModelSettings['strategy'];
export type Affinity = ModelSettings['affinity'];
export type StreamRecovery = ModelSettings['streamRecovery'];
