import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startGateway, type GatewayOptions, type RunningGateway } from '../fixtures/gateway.js';
import { model, price, type GatewayFile } from '../fixtures/gateway-config.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

type Json = Record<string, unknown>;

/** What an incoming webhook of Slack takes at the top of a message. */
const SLACK_FIELDS = new Set(['text', 'blocks', 'attachments', 'thread_ts', 'mrkdwn', 'unfurl_links', 'unfurl_media']);
const MAX_SLACK_CHARACTERS = 40_000;
const MAX_SLACK_BLOCKS = 50;

/** The response of an incoming webhook of Slack: `ok`, or why it does not take the message. */
function slackResponse(contentType: string | undefined, text: string): { status: number; body: string } {
  if (contentType?.startsWith('application/json') !== true) return { status: 400, body: 'invalid_payload' };
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return { status: 400, body: 'invalid_payload' };
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    return { status: 400, body: 'invalid_payload' };
  const { text: words, blocks, attachments } = message as Json;
  const isEmpty = (value: unknown): boolean => !Array.isArray(value) || value.length === 0;
  if (words !== undefined && typeof words !== 'string') return { status: 400, body: 'invalid_payload' };
  if ((words === undefined || words === '') && isEmpty(blocks) && isEmpty(attachments))
    return { status: 400, body: 'no_text' };
  if ((words?.length ?? 0) > MAX_SLACK_CHARACTERS) return { status: 400, body: 'msg_too_long' };
  if (Array.isArray(blocks)) {
    const isBlock = (block: unknown): boolean => typeof (block as Json | null)?.['type'] === 'string';
    if (blocks.length > MAX_SLACK_BLOCKS || !blocks.every(isBlock)) return { status: 400, body: 'invalid_blocks' };
  }
  if (Object.keys(message).some((name) => !SLACK_FIELDS.has(name))) return { status: 400, body: 'invalid_payload' };
  return { status: 200, body: 'ok' };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request) text += String(piece);
  return text;
}

describe(`alerts of budgets (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let server: Server | undefined;
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
    server = undefined;
  });

  async function listen(
    handler: (request: IncomingMessage) => Promise<{ status: number; body: string }>,
    port = 0,
  ): Promise<number> {
    server = createServer((request, response) => {
      void handler(request).then(({ status, body }) => response.writeHead(status).end(body));
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }
  const start = (alerts: GatewayFile['alerts'], options: GatewayOptions = {}): Promise<RunningGateway> =>
    startGateway({
      ...options,
      config: { sandbox: true, models: [model('paid', 'sandbox/echo', { price: price(1_000, 1_000) })], alerts },
      env: { GATEWAY_WEBHOOK_ALLOW_PRIVATE: 'true', ...options.env },
    });
  /** Spends more than half of the budget, until the worst case of a call no longer fits. */
  async function exhaust(gateway: RunningGateway): Promise<{ id: string; statuses: number[] }> {
    const client = await gateway.newClient({ budget: { usd: 0.2, period: 'month', soft_thresholds: [0.5] } });
    const statuses: number[] = [];
    while (statuses.at(-1) !== 429) {
      const messages = [{ role: 'user', content: 'a b' }];
      const { status, body } = await client.chat({ model: 'paid', max_tokens: 5, messages });
      if (status !== 429 || body.error?.code === 'insufficient_quota') statuses.push(status);
    }
    return { id: client.keyId, statuses };
  }

  it('are taken by an incoming webhook of Slack', async () => {
    const taken: string[] = [];
    const refused: string[] = [];
    const port = await listen(async (request) => {
      const text = await bodyOf(request);
      const outcome = slackResponse(request.headers['content-type'], text);
      (outcome.status === 200 ? taken : refused).push(text);
      return outcome;
    });
    const gateway = await start({
      webhook_url: `http://127.0.0.1:${port}/services/T/B/x`,
      webhook_format: 'slack',
    });
    const { id } = await exhaust(gateway);
    await until(() => taken.length >= 2);
    expect(refused).toEqual([]);
    const texts = taken.map((each) => (JSON.parse(each) as { text: string }).text);
    expect(texts.every((text) => text.includes(`\`${id}\``) && text.includes('$0.20'))).toBe(true);
    expect(texts.some((text) => text.includes('50 %'))).toBe(true);
    expect(texts.some((text) => text.includes('exhausted'))).toBe(true);
    await gateway.stop();
    expect([
      slackResponse('application/json', '{"type":"event"}').body,
      slackResponse('text/plain', '{}').status,
    ]).toEqual(['no_text', 400]);
  });

  it('that were not delivered when their process was killed are delivered by the next one', async () => {
    const port = await listen(() => Promise.resolve({ status: 500, body: 'no' }));
    const databaseUrl = isPostgresRun ? await createDatabase({ isMigrated: true }) : undefined;
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const alerts = { webhook_url: `http://127.0.0.1:${port}/`, webhook_secret: secret };
    const env = {
      GATEWAY_KEY_PEPPER: randomBytes(32).toString('hex'),
      ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    };
    const first = await start(alerts, { env });
    try {
      const { id } = await exhaust(first);
      await until(() => first.logs().split('webhook failed; trying again').length > 2);
      const closing = server;
      const events: { id: string; created_at: number; type: string; data: Json }[] = [];
      closing?.closeAllConnections();
      await new Promise((resolve) => closing?.close(resolve));
      process.kill(first.pid, 'SIGKILL');
      await listen(async (request) => {
        events.push(JSON.parse(await bodyOf(request)) as (typeof events)[number]);
        return { status: 200, body: '' };
      }, port);
      const second = await start(alerts, {
        env: { ...env, DATABASE_URL: first.databaseUrl },
        dataDirectory: first.dataDirectory,
      });
      await until(() => events.length >= 2);
      expect(new Set(events.map((event) => event.id)).size).toBe(2);
      expect(events.map(({ type, data }) => [type, data['id']]).sort()).toEqual([
        ['budget.exhausted', id],
        ['budget.threshold_reached', id],
      ]);
      await second.stop();
      expect(events).toHaveLength(2);
    } finally {
      await first.stop();
      if (databaseUrl !== undefined) await dropDatabase(databaseUrl);
    }
  });
});
