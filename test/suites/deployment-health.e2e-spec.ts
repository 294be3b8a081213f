import type { DeploymentDto } from '../../src/routing/deployments/deployments.dto.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { model, openAiAt } from '../fixtures/gateway-config.js';
import { startExpectingFailure, startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { until } from '../fixtures/until.js';
import { OutageProvider } from '../upstreams/outage-provider.js';

/** Until its reset no test ends. */
const HOUR = '3600s';
const PRIORITY = { strategy: 'priority' } as const;

describe('the health of deployments', () => {
  let first: OutageProvider;
  let second: OutageProvider;
  let gateway: RunningGateway;
  let client: GatewayClient;

  beforeAll(async () => {
    [first, second] = await Promise.all([new OutageProvider().start(), new OutageProvider().start()]);
    const pair = (id: string) => model(id, [`first/${id}`, `second/${id}`], PRIORITY);
    gateway = await startGateway({
      config: {
        health: {
          breaker: { first_open: '500ms', max_open: '1s' },
          ejection: { min_calls: 10, first_time: HOUR, max_time: HOUR },
          slow_start: HOUR,
          quota_pause: HOUR,
        },
        providers: {
          first: openAiAt(first),
          second: openAiAt(second),
          keys: openAiAt(first, { api_keys: ['key-a', 'key-b', 'key-c'] }),
        },
        models: [
          ...['visible', 'hidden', 'limited', 'flaky'].map(pair),
          model('limited-alone', 'first/limited-alone'),
          model('shared', ['first/shared', 'second/shared'], { affinity: 'none' }),
          model('several', 'keys/several', { affinity: 'none' }),
        ],
      },
    });
    client = await gateway.newClient();
  });
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([first.stop(), second.stop()]);
  });

  const ask = (id: string): Promise<GatewayResponse<object>> =>
    client.chat({ model: id, messages: [{ role: 'user', content: 'hello' }] });
  const providerOf = async (id: string): Promise<string> => {
    const { status, header } = await ask(id);
    expect(status).toBe(200);
    return header('x-gateway-provider');
  };
  const stateOf = async (id: string): Promise<DeploymentDto | undefined> =>
    (await gateway.admin.deployments()).find((each) => each.id === id);
  const metric = async (name: string, labels: Record<string, string>): Promise<number | undefined> =>
    (await gateway.admin.metrics())
      .get(name)
      ?.samples.find((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
      ?.value;

  it('an outage that the list of models shows is felt by three requests, and a background test ends it', async () => {
    first.set('visible', { status: 500, listStatus: 500 });
    const providers: string[] = [];
    for (let call = 0; call < 12; call += 1) providers.push(await providerOf('visible'));
    expect(new Set(providers)).toEqual(new Set(['second']));
    expect(first.callsOf('visible')).toBe(3);
    expect(await stateOf('first/visible')).toMatchObject({ breaker: 'open', recent_failed: 3 });
    first.set('visible', {});
    await until(async () => (await stateOf('first/visible'))?.breaker === 'half_open');
    expect(first.callsOf('visible')).toBe(3);
    expect(await providerOf('visible')).toBe('first');
    expect(await stateOf('first/visible')).toMatchObject({ breaker: 'closed' });
    expect(await metric('gateway_probes_total', { deployment: 'first/visible', outcome: 'unwell' })).toBeGreaterThan(0);
    expect(await metric('gateway_probes_total', { deployment: 'first/visible', outcome: 'well' })).toBe(1);
    // Its list of models is known to show outages: tests that fail hold trials back for longer than the breaker would.
    first.set('visible', { status: 500, listStatus: 500 });
    for (let call = 0; call < 4; call += 1) await providerOf('visible');
    const lists = first.lists;
    await until(() => first.lists >= lists + 2);
    for (let call = 0; call < 5; call += 1) await providerOf('visible');
    expect(first.callsOf('visible')).toBe(7);
    first.set('visible', {});
    await until(async () => (await stateOf('first/visible'))?.breaker === 'half_open');
    expect(await providerOf('visible')).toBe('first');
    expect(await metric('gateway_breaker_openings_total', { deployment: 'first/visible' })).toBe(2);
  });

  it('an outage that the list does not show is ended by one trial request at a time', async () => {
    first.set('hidden', { status: 500 });
    for (let call = 0; call < 5; call += 1) expect(await providerOf('hidden')).toBe('second');
    expect(first.callsOf('hidden')).toBe(3);
    await until(async () => (await stateOf('first/hidden'))?.breaker === 'half_open');
    first.closeGate();
    // The trial has no response yet, and none of the others waits for it.
    const trial = ask('hidden');
    await until(() => first.callsOf('hidden') === 4);
    const others = await Promise.all(Array.from({ length: 20 }, () => providerOf('hidden')));
    expect(new Set(others)).toEqual(new Set(['second']));
    expect(first.callsOf('hidden')).toBe(4);
    first.set('hidden', {});
    first.openGate();
    expect((await trial).header('x-gateway-provider')).toBe('first');
    expect(await providerOf('hidden')).toBe('first');
  });

  it('a deployment that has recovered begins with a part of its share', async () => {
    first.set('shared', { status: 500 });
    await until(async () => {
      await providerOf('shared');
      return (await stateOf('first/shared'))?.breaker === 'open';
    });
    first.set('shared', {});
    await until(async () => {
      await providerOf('shared');
      return (await stateOf('first/shared'))?.breaker === 'closed';
    });
    const state = await stateOf('first/shared');
    expect(state?.share).toBeGreaterThanOrEqual(0.1);
    expect(state?.share).toBeLessThan(0.5);
    expect(await metric('gateway_deployment_share', { deployment: 'first/shared' })).toBeLessThan(0.5);
    const since = first.calls.length;
    await Promise.all(Array.from({ length: 200 }, () => providerOf('shared')));
    // Half of the calls without it; a tenth to a half with it.
    expect(first.callsOf('shared', since)).toBeLessThan(80);
  });

  it('a key whose account has no quota pauses alone, and is still tried where no other is left', async () => {
    const quota = {
      message: 'You exceeded your current quota.',
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    };
    first.set('several', { byKey: { 'key-a': 429 }, error: quota });
    for (let call = 0; call < 30; call += 1) expect((await ask('several')).status).toBe(200);
    const used = (key: string, since = 0): number => first.calls.slice(since).filter((call) => call.key === key).length;
    expect(used('key-a')).toBe(1);
    expect(used('key-b')).toBeGreaterThan(0);
    expect(used('key-c')).toBeGreaterThan(0);
    const states = await Promise.all(['keys/several', 'keys/several#2', 'keys/several#3'].map(stateOf));
    expect(states.map((state) => (state?.out_of_quota_ms ?? 0) > 0)).toEqual([true, false, false]);
    expect(states[0]).toMatchObject({ breaker: 'closed', models: ['several'] });
    expect(
      await metric('gateway_deployment_pause_seconds', { deployment: 'keys/several', reason: 'quota' }),
    ).toBeGreaterThan(0);
    first.set('several', { byKey: { 'key-a': 429, 'key-b': 402, 'key-c': 402 }, error: quota });
    const since = first.calls.length;
    expect((await ask('several')).status).toBe(502);
    expect((await ask('several')).status).toBe(502);
    expect(first.calls.length - since).toBeGreaterThanOrEqual(3);
    // The account was topped up: the first response ends its pause.
    first.set('several', {});
    expect((await ask('several')).status).toBe(200);
  });

  it.each([
    ['OpenAI', { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '60m0s' }],
    [
      'Anthropic',
      {
        'anthropic-ratelimit-tokens-remaining': '0',
        'anthropic-ratelimit-tokens-reset': new Date(Date.now() + 3_600_000).toISOString(),
      },
    ],
  ])('a deployment that says that nothing is left is left alone before it refuses (%s)', async (_name, headers) => {
    const clear = Object.fromEntries(
      Object.keys(headers).map((name) => [name, name.includes('remaining') ? '9' : '1s']),
    );
    first.set('limited', { headers });
    second.set('limited', {});
    expect(await providerOf('limited')).toBe('first');
    expect((await stateOf('first/limited'))?.rate_limit_reset_ms).toBeGreaterThan(0);
    for (let call = 0; call < 3; call += 1) expect(await providerOf('limited')).toBe('second');
    // No other one can serve: it is tried all the same, and its next response says that something is left.
    second.set('limited', { status: 500 });
    first.set('limited', { headers: clear });
    expect(await providerOf('limited')).toBe('first');
    expect((await stateOf('first/limited'))?.rate_limit_reset_ms).toBe(0);
    second.set('limited', {});
    expect(await providerOf('limited')).toBe('first');
  });

  it('the only deployment is called although its limit is reached', async () => {
    first.set('limited-alone', { headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3600' } });
    for (let call = 0; call < 3; call += 1) expect(await providerOf('limited-alone')).toBe('first');
    expect((await stateOf('first/limited-alone'))?.rate_limit_reset_ms).toBeGreaterThan(0);
  });

  it('a deployment that fails more often than the other is ejected, and called where the other fails', async () => {
    // Never three failures in a row.
    for (let round = 0; round < 12; round += 1) {
      first.set('flaky', { status: 500 });
      await ask('flaky');
      first.set('flaky', {});
      await ask('flaky');
      await ask('flaky');
    }
    first.set('flaky', { status: 500 });
    await until(async () => {
      await providerOf('flaky');
      first.set('flaky', {});
      await providerOf('flaky');
      first.set('flaky', { status: 500 });
      return (await stateOf('first/flaky'))?.ejected_from.includes('flaky') === true;
    });
    expect(await metric('gateway_ejections_total', { deployment: 'first/flaky', reason: 'errors' })).toBe(1);
    const since = first.calls.length;
    for (let call = 0; call < 5; call += 1) expect(await providerOf('flaky')).toBe('second');
    expect(first.callsOf('flaky', since)).toBe(0);
    first.set('flaky', {});
    second.set('flaky', { status: 500 });
    expect(await providerOf('flaky')).toBe('first');
  });

  it('refuses settings that cannot be used, by their names', async () => {
    const { stderr } = await startExpectingFailure({
      config: `
health: { breaker: { failures: 0 }, probe: sometimes, ejection: { max_share: 2 }, slow_start: 5 }
providers: { a: { base_url: 'http://127.0.0.1:9/v1', api_key: x, api_keys: [k1, k2] } }
`,
    });
    for (const name of ['health.breaker.failures', 'health.probe', 'health.ejection.max_share', 'health.slow_start']) {
      expect(stderr).toContain(name);
    }
  });
});
