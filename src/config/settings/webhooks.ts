import { section } from './composites.js';
import { choice, text } from './kinds.js';
import { setting } from './setting.js';

const SIGNING_SECRET = text({
  pattern: ['^whsec_[A-Za-z0-9+/]{32,}={0,2}$', 'must be whsec_ and at least 24 bytes in base64'],
  form: '`whsec_` and at least 24 bytes in base64',
});

export const ALERTS = section(
  'The webhook that is notified when spending reaches a threshold of a budget, or exhausts it.',
  {
    webhook_url: setting(text({ form: 'URL' }), {
      description: 'Where budget events are posted.',
      without: 'budget events are logged only',
      example: 'https://hooks.example.com/budgets',
      // The path of an incoming webhook of Slack is its only credential.
      secret: true,
    }),
    webhook_secret: setting(SIGNING_SECRET, {
      description: 'What deliveries are signed with. Required with `webhook_url`, unless `webhook_format` is `slack`.',
      without: 'none',
      secret: true,
    }),
    webhook_format: setting(choice(['events', 'slack']), {
      description:
        '`events` posts the signed event. `slack` posts `{"text": ...}`, as incoming webhooks of Slack expect it.',
      default: 'events',
    }),
  },
);
