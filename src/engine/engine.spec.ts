import fc from 'fast-check';
import { GatewayError, invalidRequest, rateLimitExceeded, upstreamError } from '../errors/gateway-error.js';
import { CHAT } from '../operations/chat/chat-operation.js';

import { BUG, EngineBench, REQUEST } from '../../test/fixtures/engine-bench.js';
import { until } from '../../test/fixtures/until.js';

describe('Engine', () => {
  const stages = [
    'nowhere',
    'admit',
    'attempt',
    'provider',
    'trace',
    'listener',
    'cost',
    'second chunk',
    'count',
    'headers',
    'write',
    'client',
  ];

  it.each(stages)('frees slot, reservation, timeout and stream when a stream throws at: %s', async (stage) => {
    const bench = new EngineBench(stage);
    try {
      const stream = await bench.engine.stream(CHAT, REQUEST, bench.context);
      try {
        if (stage === 'headers') throw BUG;
        for await (const group of stream.chunks) {
          if (stage === 'write' && group.length > 0) throw BUG;
          if (stage === 'client') bench.signal.abort(BUG);
        }
      } finally {
        stream.close(BUG);
      }
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
    await Promise.resolve();
    bench.expectNothingTaken();
    expect(bench.outcomes).toHaveLength(1);
  });

  it.each(stages)('frees slot, reservation and timeout when a plain call throws at: %s', async (stage) => {
    const bench = new EngineBench(stage);
    await bench.engine.run(CHAT, REQUEST, bench.context).catch((error: unknown) => expect(error).toBe(BUG));
    bench.expectNothingTaken();
    expect(bench.outcomes).toHaveLength(1);
  });

  it('asks every deployment that may serve a request before the client is refused, and gives the last reason', async () => {
    const kinds = ['responds', 'refuses', 'fails'] as const;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 4 }), async (behaviours) => {
        const ids = behaviours.map((_, index) => `p/${index}`);
        const errors = Object.fromEntries(
          behaviours.flatMap((kind, index) => {
            if (kind === 'responds') return [];
            const text = `reason ${index}`;
            return [[`p/${index}`, kind === 'fails' ? upstreamError({ message: text }) : invalidRequest(text, null)]];
          }),
        );
        const bench = new EngineBench('nowhere', errors, ids);
        const first = behaviours.indexOf('responds');
        const response = await bench.engine.run(CHAT, REQUEST, bench.context).catch((error: unknown) => error);
        if (first === -1) {
          expect((response as GatewayError).message).toBe(`reason ${behaviours.length - 1}`);
          expect(bench.calls).toEqual(ids);
        } else {
          expect(response).toMatchObject({ attempts: first + 1, droppedParams: ['seed'] });
          expect(bench.calls).toEqual(ids.slice(0, first + 1));
        }
        bench.expectNothingTaken();
        for (const [index, kind] of behaviours.entries()) {
          const { failed } = bench.deployments.healthOf({ id: `p/${index}` }).recent();
          if (kind !== 'fails') expect(failed).toBe(0);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('takes nothing from the budget of retries when a deployment refuses, so that the same request always ends alike', async () => {
    const bench = new EngineBench('nowhere', { 'p/one': invalidRequest('no images', 'messages') }, ['p/one', 'p/two']);
    for (let round = 0; round < 50; round += 1) {
      expect(await bench.engine.run(CHAT, REQUEST, bench.context)).toMatchObject({ attempts: 2 });
    }
    expect(bench.deployments.healthOf({ id: 'p/one' }).canCall('key_a')).toBe(true);
  });

  it('asks a deployment with an open breaker when all others refused the request', async () => {
    const bench = new EngineBench('nowhere', { 'p/two': invalidRequest('no images', 'messages') }, ['p/one', 'p/two']);
    const health = bench.deployments.healthOf({ id: 'p/one' });
    for (let round = 0; round < 5; round += 1) health.failed(upstreamError({ message: 'down' }), 'key_a');
    expect(health.canCall('key_a')).toBe(false);
    await bench.engine.run(CHAT, REQUEST, bench.context);
    expect(bench.calls).toEqual(['p/two', 'p/one']);
  });

  it('tries the only deployment of a model once more after one 5xx, and no more than once', async () => {
    const down = upstreamError({ message: 'down' });
    down.upstream = { status: 500, code: undefined, message: undefined };
    const alone = new EngineBench('nowhere', { 'p/one': down });
    await expect(alone.engine.run(CHAT, REQUEST, alone.context)).rejects.toBe(down);
    expect(alone.calls).toEqual(['p/one', 'p/one']);
    alone.expectNothingTaken();
    const two = new EngineBench('nowhere', { 'p/one': down }, ['p/one', 'p/two']);
    await two.engine.run(CHAT, REQUEST, two.context);
    expect(two.calls).toEqual(['p/one', 'p/two']);
  });

  it('waits out a short Retry-After at the only deployment, until such a wait was without success', async () => {
    const limited = rateLimitExceeded({ message: 'limited', retryable: true, retryAfterMs: 10 });
    const outcomes: Record<string, Error> = { 'p/one': limited };
    const bench = new EngineBench('nowhere', outcomes);
    const health = bench.deployments.healthOf({ id: 'p/one' });
    const first = bench.engine.run(CHAT, REQUEST, bench.context);
    await until(() => bench.calls.length === 1);
    delete outcomes['p/one'];
    expect(await first).toMatchObject({ attempts: 2 });
    outcomes['p/one'] = limited;
    await expect(bench.engine.run(CHAT, REQUEST, bench.context)).rejects.toBe(limited);
    expect([bench.calls.length, health.wasWaitUseless]).toEqual([4, true]);
    await until(() => health.waitFor('key_a') === 0);
    await expect(bench.engine.run(CHAT, REQUEST, bench.context)).rejects.toBe(limited);
    expect(bench.calls).toHaveLength(5);
    bench.expectNothingTaken();
  });

  it('does not count the time that the request itself asked for as a failure of the deployment', async () => {
    const bench = new EngineBench();
    const port = bench.models[0]!.deployments[0]!.provider.operation('chat')!;
    port.invoke = ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason instanceof Error ? signal.reason : BUG), {
          once: true,
        });
      });
    for (let round = 0; round < 6; round += 1) {
      const context = { ...bench.context, overrides: { fallbacks: undefined, timeoutMs: 5 } };
      await expect(bench.engine.run(CHAT, REQUEST, context)).rejects.toMatchObject({ status: 504 });
    }
    const health = bench.deployments.healthOf({ id: 'p/one' });
    expect([health.recent().failed, health.canCall('key_a')]).toEqual([0, true]);
    bench.expectNothingTaken();
  });

  it('skips deployments without the operation, and refuses before any attempt when none has it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }), fc.boolean(), async (has, isStream) => {
        const ids = has.map((_, index) => `p/${index}`);
        const without = has.flatMap((served, index) =>
          served ? [] : [[`p/${index}`, 'embeddings' as const] as const],
        );
        const bench = new EngineBench('nowhere', {}, ids, Object.fromEntries(without));
        const call = isStream
          ? bench.engine.stream(CHAT, REQUEST, bench.context).then(async (stream) => {
              for await (const group of stream.chunks) expect(group.length).toBeGreaterThan(0);
            })
          : bench.engine.run(CHAT, REQUEST, bench.context);
        if (has.includes(true)) {
          await call;
          expect(bench.calls).toEqual([`p/${has.indexOf(true)}`]);
        } else {
          const error = await call.catch((thrown: unknown) => thrown);
          expect(error).toMatchObject({ status: 404, code: 'unsupported_endpoint' });
          for (const text of ['chat', ...ids]) expect((error as Error).message).toContain(text);
          expect([bench.calls, bench.outcomes.map(({ attempts }) => attempts)]).toEqual([[], [[]]]);
        }
        bench.expectNothingTaken();
      }),
      { numRuns: 40 },
    );
  });

  it('skips deployments that have no streams of the operation, and refuses when none has', async () => {
    const bench = new EngineBench('nowhere', {}, ['p/one', 'p/two']);
    delete bench.models[0]!.deployments[0]!.provider.operation('chat')!.open;
    const stream = await bench.engine.stream(CHAT, REQUEST, bench.context);
    expect(stream).toMatchObject({ attempts: 1, provider: 'p/two' });
    stream.close();
    delete bench.models[0]!.deployments[1]!.provider.operation('chat')!.open;
    await expect(bench.engine.stream(CHAT, REQUEST, bench.context)).rejects.toMatchObject({
      status: 404,
      code: 'unsupported_endpoint',
    });
    bench.expectNothingTaken();
  });

  describe('and what it knows of deployments', () => {
    const IDS = ['p/one', 'p/two', 'p/three'];
    const exhausted = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1m0s' };

    it('tries those whose limit is reached after all others, and still tries them', async () => {
      await fc.assert(
        fc.asyncProperty(fc.subarray(IDS), fc.subarray(IDS), async (limited, failing) => {
          const errors = Object.fromEntries(failing.map((id) => [id, upstreamError({ message: id })]));
          const bench = new EngineBench('nowhere', errors, IDS);
          for (const id of limited) bench.deployments.healthOf({ id }).onHeaders(exhausted);
          await bench.engine.run(CHAT, REQUEST, bench.context).catch(() => undefined);
          const order = [...IDS.filter((id) => !limited.includes(id)), ...limited];
          const served = order.findIndex((id) => !failing.includes(id));
          expect(bench.calls).toEqual(served === -1 ? order : order.slice(0, served + 1));
          bench.expectNothingTaken();
        }),
        { numRuns: 60 },
      );
    });

    it('tries those that are ejected after the others of their model', async () => {
      const bench = new EngineBench('nowhere', { 'p/two': upstreamError({ message: 'two' }) }, IDS);
      bench.deployments.ejections.eject('m', 'p/one', 'errors', { firstTime: 60_000, maxTime: 60_000 });
      await bench.engine.run(CHAT, REQUEST, bench.context);
      expect(bench.calls).toEqual(['p/two', 'p/three']);
    });

    it('leaves an account without quota alone while others serve, and tries it where none does', async () => {
      const spent = upstreamError({ message: 'no credit', isOutOfQuota: true });
      const bench = new EngineBench('nowhere', { 'p/one': spent }, ['p/one', 'p/two']);
      for (let round = 0; round < 4; round += 1) await bench.engine.run(CHAT, REQUEST, bench.context);
      expect(bench.calls).toEqual(['p/one', 'p/two', 'p/two', 'p/two', 'p/two']);
      const alone = new EngineBench('nowhere', { 'p/one': spent }, ['p/one']);
      for (let round = 0; round < 3; round += 1) {
        await expect(alone.engine.run(CHAT, REQUEST, alone.context)).rejects.toBe(spent);
      }
      expect(alone.calls).toEqual(['p/one', 'p/one', 'p/one']);
    });
  });
});
