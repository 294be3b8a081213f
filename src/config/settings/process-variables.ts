import { MAX_PROCESSES, readProcessCount } from '../process-count.js';
import { secretFault } from '../weak-secret.js';
import { choice, flag, text } from './kinds.js';
import { setting, type Kind } from './setting.js';
import { STORAGE_VARIABLES } from './storage.js';

const PROCESS_COUNT: Kind<number, number> = {
  form: `integer from 1 to ${MAX_PROCESSES}, or \`auto\``,
  schema: { type: 'integer', minimum: 1, maximum: MAX_PROCESSES },
  value: (file) => file,
  fromText: readProcessCount,
  textFault: `must be auto or a whole number from 1 to ${MAX_PROCESSES}`,
};

function secret(minLength: number) {
  return text({
    minLength,
    check: (value) => secretFault(value, minLength),
    form: `text of at least ${minLength} characters`,
  });
}

/** Environment variables of the gateway that gateway.yaml has no key for. They are read once, at the start. */
export const PROCESS_VARIABLES = {
  GATEWAY_CONFIG: setting(text({ form: 'path' }), {
    description: 'The configuration file.',
    without: '`./gateway.yaml`, where there is one',
    example: '/etc/llm-gateway/gateway.yaml',
  }),
  GATEWAY_ROLE: setting(choice(['api', 'worker', 'all']), {
    description: '`api` serves requests. `worker` runs batches, and serves health and metrics only. `all` does both.',
    default: 'all',
  }),
  GATEWAY_PROCESSES: setting(PROCESS_COUNT, {
    description: 'Processes on this machine; `auto` is one per core. See [several processes](processes.md).',
    default: 1,
  }),
  ...STORAGE_VARIABLES,
  GATEWAY_ADMIN_KEY: setting(secret(24), {
    description: "The operator's key. It must not be guessable.",
    without: 'a key is generated and printed once',
    secret: true,
  }),
  GATEWAY_KEY_PEPPER: setting(secret(32), {
    description: 'The HMAC secret of stored keys. With another pepper no existing key works.',
    without: 'a pepper is generated in the data folder',
    secret: true,
  }),
  GATEWAY_KEY_PEPPER_PREVIOUS: setting(secret(32), {
    description:
      'The pepper before, while keys that were hashed with it are in use. See [replacing the pepper](keys.md#replacing-the-pepper).',
    without: 'none',
    secret: true,
  }),
  GATEWAY_WEBHOOK_ALLOW_PRIVATE: setting(flag(), {
    description: 'Whether webhooks may go to private and loopback addresses.',
    default: false,
  }),
} as const;
