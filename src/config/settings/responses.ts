import { section } from './composites.js';
import { duration, flag } from './kinds.js';
import { setting } from './setting.js';

export const RESPONSES = section('Responses of `POST /v1/responses` that are kept.', {
  store: setting(flag(), {
    description: 'Whether a response is kept for later requests where the client does not say so with `store`.',
    default: true,
  }),
  retention: setting(duration(), {
    description: 'How long responses are kept.',
    default: '30d',
  }),
});
