import { section } from './composites.js';
import { choice, duration, text } from './kinds.js';
import { PORT } from './server.js';
import { setting } from './setting.js';

export const LOG = section('The log on standard output.', {
  level: setting(choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']), {
    description: 'The least severe level that is logged.',
    default: 'info',
    variable: 'LOG_LEVEL',
  }),
  format: setting(choice(['pretty', 'json']), {
    description: 'How log lines are written.',
    without: '`pretty` on a terminal, `json` elsewhere',
    variable: 'LOG_FORMAT',
  }),
});

export const METRICS = section(
  'A second port that serves `/metrics` without a key, for a network that clients cannot reach.',
  {
    host: setting(text({ minLength: 1 }), {
      description: 'Address of the metrics port.',
      default: '127.0.0.1',
      example: '0.0.0.0',
      variable: 'METRICS_HOST',
    }),
    port: setting(PORT, {
      description: 'The metrics port. 0 picks a free port.',
      without: 'no such port; `/metrics` is served to admin keys only',
      example: 9464,
      variable: 'METRICS_PORT',
    }),
  },
);

export const USAGE = section('Usage records.', {
  retention: setting(duration(), {
    description: 'How long usage records are kept. Use at least the longest budget period.',
    default: '400d',
  }),
});
