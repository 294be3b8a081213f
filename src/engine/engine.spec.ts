import type { CallContext } from '../calls/call-context.js';
import fc from 'fast-check';
import { NO_COST } from '../runtime/nano-dollars.js';
import { NO_TOKENS } from '../runtime/token-count.js';
import type { Principal } from '../auth/principal.js';
import { GatewayError, invalidRequest, upstreamError } from '../errors/gateway-error.js';
import { DeploymentLimiter } from '../routing/deployments/deployment-limiter.js';
import { Deployments } from '../routing/deployments/deployments.service.js';
import type { Pricing } from '../pricing/pricing.service.js';
import type { OperationPort, Provider, ProviderCall } from '../providers/provider.js';
import type { Deployment, ResolvedModel } from '../routing/resolved-model.js';
import type { Routing } from '../routing/routing.service.js';
import type { Limits } from '../limits/limits.service.js';
import { CallEvents } from '../calls/call-events.js';
import type { CallOutcome } from '../calls/call-outcome.js';
import type { CallTracing } from '../calls/call-tracing.js';
import { CancelSource } from '../runtime/cancel-signal.js';
import type { ChatCompletion, ChatRequest } from '../operations/chat/chat-completion.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import type { OperationName } from '../operations/operation-types.js';
import { AttemptLoop } from './attempt-loop.js';
import { Engine } from './engine.js';
import type { StreamedChunk } from '../operations/chat/preserialized-chunk.js';

const REQUEST = { model: 'm', messages: [{ role: 'user', content: 'hi' }] } as ChatRequest;
const BUG = new Error('a stage that threw');

/** A signal that counts its listeners. */
class CountedCancel extends CancelSource {
  listening = 0;
  override addEventListener(type: 'abort', listener: () => void): void {
    this.listening += 1;
    super.addEventListener(type, listener);
  }
  override removeEventListener(type: 'abort', listener: () => void): void {
    this.listening -= 1;
    super.removeEventListener(type, listener);
  }
}

function chunk(content: string): StreamedChunk {
  const choice = { index: 0, delta: { content }, logprobs: null, finish_reason: null };
  return { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [choice] };
}

/** An engine whose collaborators can throw at any stage. */
class Bench {
  readonly signal = new CountedCancel();
  readonly deployments = new Deployments();
  readonly queue = new DeploymentLimiter(this.deployments);
  readonly outcomes: CallOutcome[] = [];
  reserved = 0;
  openStreams = 0;
  readonly calls: string[] = [];
  readonly engine: Engine;
  /** The operations of the providers; a deployment that is not listed has chat. */
  readonly operations: Readonly<Record<string, OperationName>>;
  readonly models: ResolvedModel[] = [];

  constructor(
    private readonly throwsAt: string = 'nowhere',
    private readonly answers: Readonly<Record<string, Error>> = {},
    ids: readonly string[] = ['p/one'],
    operations: Readonly<Record<string, OperationName>> = {},
  ) {
    this.operations = operations;
    const deployments = ids.map((id) => this.deployment(id));
    const queue = { id: 'm', size: 0, timeout: 0 };
    this.models.push({
      id: 'm',
      strategy: 'priority',
      deployments,
      fallbacks: [],
      accounts: [],
      queue,
    } as unknown as ResolvedModel);
    const events = new CallEvents();
    events.onEnded((outcome) => {
      this.outcomes.push(outcome);
      outcome.admission?.leave();
      void outcome.admission?.settle(NO_TOKENS, NO_COST);
      this.stage('listener');
    });
    const tracing = {
      begin: () => ({
        isRecording: false,
        wantsContent: false,
        attemptBegins: () => {
          this.stage('attempt');
          return {};
        },
        ended: () => {
          this.stage('trace');
        },
      }),
    } as unknown as CallTracing;
    const limits = {
      admit: () => {
        this.stage('admit');
        this.reserved += 1;
        return Promise.resolve({
          headers: {},
          leave: () => undefined,
          settle: () => Promise.resolve((this.reserved -= 1)),
          coverAnother: () => Promise.resolve(true),
        });
      },
    } as unknown as Limits;
    const routing = {
      current: { hold: () => undefined, release: () => undefined },
      resolve: () => this.models[0],
    } as unknown as Routing;
    const pricing = {
      costOf: () => {
        this.stage('cost');
        return Promise.resolve(1);
      },
    };
    const attempts = new AttemptLoop(routing, this.deployments, this.queue, limits);
    this.engine = new Engine(pricing as unknown as Pricing, routing, attempts, events, tracing);
  }

  get context(): CallContext {
    const principal = { keyId: 'key_a', name: 'a', scopes: new Set(['inference']), allowedModels: null, accounts: [] };
    return {
      principal: principal as unknown as Principal,
      requestId: 'r',
      source: 'live',
      headers: {},
      signal: this.signal,
    };
  }

  /** A finished call must have released everything. */
  expectNothingTaken(): void {
    expect([...this.deployments.all()].map(([, health]) => health.inFlight).every((count) => count === 0)).toBe(true);
    expect({ reserved: this.reserved, openStreams: this.openStreams, listening: this.signal.listening }).toEqual({
      reserved: 0,
      openStreams: 0,
      listening: 0,
    });
  }

  private deployment(id: string): Deployment {
    const port: OperationPort<'chat'> = { invoke: (call) => this.complete(id, call), open: () => this.open(id) };
    const served = this.operations[id] ?? 'chat';
    const provider = {
      name: id,
      operation: (name: OperationName) => (name === served ? port : undefined),
    } as unknown as Provider;
    const timeouts = { connect: 1_000, firstByte: 1_000, idle: 1_000, total: 60_000 };
    return { id, provider, baseUrl: '', upstreamModel: id, weight: 1, concurrency: 1, timeouts, price: undefined };
  }

  private complete(id: string, { onDroppedParams }: ProviderCall): Promise<ChatCompletion> {
    this.calls.push(id);
    this.stage('provider');
    onDroppedParams?.(['seed']);
    const failure = this.answers[id];
    if (failure !== undefined) return Promise.reject(failure);
    return Promise.resolve({ choices: [], usage: undefined } as unknown as ChatCompletion);
  }

  private open(id: string): Promise<AsyncIterableIterator<readonly StreamedChunk[]>> {
    this.calls.push(id);
    this.stage('provider');
    this.openStreams += 1;
    let isOpen = true;
    let sent = 0;
    const close = (): void => {
      if (isOpen) this.openStreams -= 1;
      isOpen = false;
    };
    return Promise.resolve({
      [Symbol.asyncIterator]() {
        return this;
      },
      next: async () => {
        await Promise.resolve();
        sent += 1;
        if (sent === 2) {
          try {
            this.stage('second chunk');
          } catch (error) {
            close();
            throw error;
          }
        }
        // A group that cannot be counted.
        if (sent === 2 && this.throwsAt === 'count')
          return { done: false, value: [{ choices: null }] as unknown as StreamedChunk[] };
        if (sent < 4) return { done: false, value: [chunk(`word ${sent} `)] };
        close();
        return { done: true, value: undefined };
      },
      return: () => {
        close();
        return Promise.resolve({ done: true, value: undefined });
      },
    });
  }

  private stage(name: string): void {
    if (this.throwsAt === name) throw BUG;
  }
}

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
    const bench = new Bench(stage);
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
    const bench = new Bench(stage);
    await bench.engine.run(CHAT, REQUEST, bench.context).catch((error: unknown) => expect(error).toBe(BUG));
    bench.expectNothingTaken();
    expect(bench.outcomes).toHaveLength(1);
  });

  it('asks every deployment that may serve a request before the client is refused, and gives the last reason', async () => {
    const kinds = ['answers', 'refuses', 'fails'] as const;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 4 }), async (behaviours) => {
        const ids = behaviours.map((_, index) => `p/${index}`);
        const errors = Object.fromEntries(
          behaviours.flatMap((kind, index) => {
            if (kind === 'answers') return [];
            const text = `reason ${index}`;
            return [[`p/${index}`, kind === 'fails' ? upstreamError({ message: text }) : invalidRequest(text, null)]];
          }),
        );
        const bench = new Bench('nowhere', errors, ids);
        const first = behaviours.indexOf('answers');
        const answer = await bench.engine.run(CHAT, REQUEST, bench.context).catch((error: unknown) => error);
        if (first === -1) {
          expect((answer as GatewayError).message).toBe(`reason ${behaviours.length - 1}`);
          expect(bench.calls).toEqual(ids);
        } else {
          expect(answer).toMatchObject({ attempts: first + 1, droppedParams: ['seed'] });
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
    const bench = new Bench('nowhere', { 'p/one': invalidRequest('no images', 'messages') }, ['p/one', 'p/two']);
    for (let round = 0; round < 50; round += 1) {
      expect(await bench.engine.run(CHAT, REQUEST, bench.context)).toMatchObject({ attempts: 2 });
    }
    expect(bench.deployments.healthOf({ id: 'p/one' }).canCall('key_a')).toBe(true);
  });

  it('asks a deployment with an open breaker when all others refused the request', async () => {
    const bench = new Bench('nowhere', { 'p/two': invalidRequest('no images', 'messages') }, ['p/one', 'p/two']);
    const health = bench.deployments.healthOf({ id: 'p/one' });
    for (let round = 0; round < 5; round += 1) health.failed(upstreamError({ message: 'down' }), 'key_a');
    expect(health.canCall('key_a')).toBe(false);
    await bench.engine.run(CHAT, REQUEST, bench.context);
    expect(bench.calls).toEqual(['p/two', 'p/one']);
  });

  it('does not count the time that the request itself asked for as a failure of the deployment', async () => {
    const bench = new Bench();
    const port = bench.models[0]!.deployments[0]!.provider.operation('chat')!;
    port.invoke = ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason instanceof Error ? signal.reason : BUG), {
          once: true,
        });
      });
    for (let round = 0; round < 6; round += 1) {
      const context = { ...bench.context, overrides: { fallbacks: undefined, timeout: 5 } };
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
        const bench = new Bench('nowhere', {}, ids, Object.fromEntries(without));
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
    const bench = new Bench('nowhere', {}, ['p/one', 'p/two']);
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
});
