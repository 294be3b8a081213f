import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeConfig } from './describe-config.js';
import { loadWithSources } from './load-config.js';

const SECRETS = {
  GATEWAY_ADMIN_KEY: 'Zk81PqLm20XvRt7Yw3Hc9dAb',
  REDIS_URL: 'redis://user:redis-password@h:1',
  GATEWAY_REQUEST_LOG_KEY: Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7)).toString('hex'),
};

function load(yaml: string, env: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-changed-'));
  try {
    writeFileSync(join(folder, 'gateway.yaml'), yaml);
    return loadWithSources({ env, cwd: folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the settings that are not at their defaults', () => {
  it('are none where nothing is set, or where the default is written', () => {
    expect(load('', {}).changed).toEqual([]);
    const env = { PORT: '3000', GATEWAY_MIGRATE: 'on', GATEWAY_ROLE: 'all', GATEWAY_WEBHOOK_ALLOW_PRIVATE: 'false' };
    expect(load('server: { host: 127.0.0.1 }\nexpose: all\nstreaming: { keep_alive: 15s }\n', env).changed).toEqual([]);
  });

  it('have the place that they come from: the variable, or the line of the file', () => {
    const yaml = [
      'server:',
      '  port: 4000',
      '  host: 0.0.0.0',
      'batch: { concurrency: ${TASKS:-8} }',
      'upstream: { timeouts: { idle: 7s } }',
      'discover: false',
    ].join('\n');
    expect(load(yaml, { PORT: '5000', GATEWAY_MIGRATE: 'off', OTEL_SERVICE_NAME: 'edge' }).changed).toEqual([
      { name: 'server.host', value: '0.0.0.0', from: 'gateway.yaml:3' },
      { name: 'server.port', value: '5000', from: 'PORT' },
      { name: 'batch.concurrency', value: '8', from: 'gateway.yaml:4' },
      { name: 'upstream.timeouts.idle', value: '7s', from: 'gateway.yaml:5' },
      { name: 'GATEWAY_MIGRATE', value: 'off', from: 'the environment' },
      { name: 'OTEL_SERVICE_NAME', value: 'edge', from: 'the environment' },
    ]);
  });

  it('show no secret', () => {
    const yaml = [
      'database_url: postgres://u:database-password@h/d',
      `alerts: { webhook_url: "https://hooks.example.com/x", webhook_secret: whsec_${'A'.repeat(32)} }`,
      'providers: { mine: { base_url: "http://127.0.0.1:9/v1", api_key: sk-provider } }',
    ].join('\n');
    const { config, changed } = load(yaml, SECRETS);
    const text = describeConfig(config, changed);
    expect(changed.filter(({ value }) => value === 'set').map(({ name }) => name)).toEqual([
      'database_url',
      'alerts.webhook_url',
      'alerts.webhook_secret',
      'REDIS_URL',
      'GATEWAY_ADMIN_KEY',
      'GATEWAY_REQUEST_LOG_KEY',
    ]);
    expect(text).toContain('PostgreSQL h/d');
    for (const secret of [
      ...Object.values(SECRETS),
      'database-password',
      'AAAAAAAA',
      'hooks.example.com',
      'sk-provider',
      'redis-password',
    ]) {
      expect(text).not.toContain(secret);
    }
  });
});
