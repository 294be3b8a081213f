import OpenAI from 'openai';
import { Webhook } from 'standardwebhooks';
import { makeWebhookSecret, webhookHeaders } from './webhook-signature.js';

describe('the signature of a webhook', () => {
  const body = JSON.stringify({
    id: 'evt_1',
    object: 'event',
    type: 'batch.completed',
    created_at: 1_767_225_600,
    data: { id: 'batch_1' },
  });

  it('is verified by the standardwebhooks package and by the openai client', async () => {
    const secret = makeWebhookSecret();
    const headers = webhookHeaders(secret, 'evt_1', Math.floor(Date.now() / 1000), body);
    expect(new Webhook(secret).verify(body, headers)).toMatchObject({ type: 'batch.completed' });
    const client = new OpenAI({ apiKey: 'unused', webhookSecret: secret });
    await expect(client.webhooks.unwrap(body, headers)).resolves.toMatchObject({ data: { id: 'batch_1' } });
  });

  it('is that of this body, this secret and this time', () => {
    const secret = makeWebhookSecret();
    const headers = webhookHeaders(secret, 'evt_1', Math.floor(Date.now() / 1000), body);
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
    expect(() => new Webhook(makeWebhookSecret()).verify(body, headers)).toThrow();
    expect(() => new Webhook(secret).verify(body, { ...headers, 'webhook-timestamp': '1' })).toThrow();
  });
});
