import { section, type GroupFile, type GroupValue } from './composites.js';
import { duration, size } from './kinds.js';
import { setting } from './setting.js';

const TEXTS = {
  connect: 'Longest time to connect: TCP and TLS.',
  first_byte:
    'Streams: longest silence before the first content: text, thinking or a tool call. Events and comments without content count as activity.',
  idle: 'Streams: longest silence between two reads.',
  total: 'Longest time of the whole attempt. For responses that are not streamed, only this and `connect` apply.',
} as const;

const TIMEOUTS = {
  connect: setting(duration(), { description: TEXTS.connect, default: '5s' }),
  first_byte: setting(duration(), { description: TEXTS.first_byte, default: '60s' }),
  idle: setting(duration(), { description: TEXTS.idle, default: '90s' }),
  total: setting(duration(), { description: TEXTS.total, default: '10m' }),
};

export const RETRY = section('Further attempts of a request whose deployment failed.', {
  max_wait: setting(duration({ zero: true }), {
    description:
      'Longest `Retry-After` that is waited out on the same deployment, where the model has no other one. A longer one, or `0`, goes to the next model at once.',
    default: '5s',
  }),
});

export const UPSTREAM = section('Calls to providers.', {
  max_answer_size: setting(size(), {
    description: 'Largest response, or largest event of a stream, after decompression.',
    default: '32MB',
  }),
  timeouts: section('Timeouts of one attempt at a deployment.', TIMEOUTS),
});

const UNSET = 'that of `upstream.timeouts`';

/** The same for one model; what is not set there comes from `upstream.timeouts`. */
export const MODEL_TIMEOUTS = section('Timeouts of one attempt at this model.', {
  connect: setting(duration(), { description: TEXTS.connect, without: UNSET, example: '2s' }),
  first_byte: setting(duration(), { description: TEXTS.first_byte, without: UNSET, example: '30s' }),
  idle: setting(duration(), { description: TEXTS.idle, without: UNSET, example: '30s' }),
  total: setting(duration(), { description: TEXTS.total, without: UNSET, example: '5m' }),
});

export type TimeoutsFile = GroupFile<typeof TIMEOUTS>;
/** Milliseconds. */
export type Timeouts = GroupValue<typeof TIMEOUTS>;
