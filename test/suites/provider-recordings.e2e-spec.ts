import type { GatewayResponse } from '../clients/gateway-response.js';
import { WIRE_CLIENTS } from '../clients/wire-clients/wire-clients.js';
import type { Outcome, WireClient } from '../clients/wire-clients/wire-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, price } from '../fixtures/gateway-config.js';
import { CHAT_RECORDINGS } from '../fixtures/recordings/chat-recordings.js';
import { OWN_FORMAT_RECORDINGS } from '../fixtures/recordings/own-format-recordings.js';
import type { Recording } from '../fixtures/recordings/recording.js';
import { RESPONSES_RECORDINGS } from '../fixtures/recordings/responses-recordings.js';
import { STREAM_MUTATIONS } from '../fixtures/stream-mutations.js';
import { randomOf } from '../fixtures/mutations.js';
import { until } from '../fixtures/until.js';
import { ReplayProvider } from '../upstreams/replay-provider.js';
import { streamFrames, streamTypeOf } from '../upstreams/stream-frames.js';

const RECORDINGS: readonly Recording[] = [...CHAT_RECORDINGS, ...OWN_FORMAT_RECORDINGS, ...RESPONSES_RECORDINGS];
const UPSTREAM_MODELS: Readonly<Record<string, string>> = {
  bedrock: 'eu.amazon.nova-2-lite-v1:0',
  anthropic: 'claude-sonnet-4-5',
  'claude-vertex': 'claude-sonnet-4-5',
  vertex: 'gemini-2.5-flash',
  google: 'gemini-2.5-flash',
};
const PROVIDERS = [...new Set(RECORDINGS.map(({ provider }) => provider))];
/** Dollars a million tokens. */
const PRICE = { ...price(1_000, 2_000), cached_input_per_million: 100, cache_write_per_million: 1_250 };
/** Each mutated stream of a format in each client's format; RECORDING_SEED makes other ones. */
const SEEDS = 2;
const FIRST_SEED = Number(process.env['RECORDING_SEED'] ?? 1);
const CONCURRENCY = 6;

/** What the provider bills, at the prices of this file. */
function dollarsOf({ prompt, completion, cached = 0, cacheWrite = 0 }: Recording['usage']): number {
  const plain = prompt - cached - cacheWrite;
  return (plain * 1_000 + cached * 100 + cacheWrite * 1_250 + completion * 2_000) / 1_000_000;
}

describe('what providers send, in the format of every client', () => {
  const provider = new ReplayProvider();
  let gateway: RunningGateway;

  beforeAll(async () => {
    await provider.start();
    gateway = await startGateway({
      config: {
        providers: provider.providers(PROVIDERS),
        models: PROVIDERS.map((name) => model(name, `${name}/${UPSTREAM_MODELS[name] ?? 'm'}`, { price: PRICE })),
      },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await provider.stop();
  });

  async function send(
    client: WireClient,
    recording: Recording,
    pieces: readonly (string | Buffer)[],
    modelId = recording.provider,
    breaks = false,
  ): Promise<GatewayResponse> {
    const isStream = recording.events !== undefined;
    const contentType = isStream ? streamTypeOf(recording.wire) : 'application/json';
    const prompt = provider.add({ headers: { 'content-type': contentType }, pieces, breaks });
    const hasTools = client.name !== 'completions' && recording.calls !== undefined;
    const { path, body } = client.ask({ model: modelId, prompt, isStream, hasTools });
    return gateway.admin.post(path, JSON.stringify(body));
  }

  const piecesOf = ({ wire, events, body }: Recording): readonly (string | Buffer)[] =>
    events === undefined ? [JSON.stringify(body)] : streamFrames(wire, events);
  const read = (client: WireClient, { wire, events }: Recording, response: GatewayResponse): Outcome =>
    events === undefined
      ? client.readWhole(response.body)
      : client.readStream(response.text, !client.native.includes(wire));

  describe.each(WIRE_CLIENTS.map((client) => [client.name, client] as const))('%s', (_name, client) => {
    it.each(RECORDINGS.map((recording) => [recording.name, recording] as const))('%s', async (_title, recording) => {
      const response = await send(client, recording, piecesOf(recording));
      expect([response.status, response.text]).toEqual([200, response.text]);
      const outcome = read(client, recording, response);
      // Legacy completions have text alone.
      const { calls = [], thinking = '', text = '', finish, usage } = recording;
      const textOnly = client.name === 'completions';
      const native = client.native.includes(recording.wire) ? recording.nativeFinish : undefined;
      const expectedFinish =
        native ?? (textOnly && finish === 'tool_calls' ? 'stop' : refusalFinish(client, recording, finish));
      expect(outcome).toMatchObject({ isWhole: true, text, finish: expectedFinish });
      if (!textOnly) {
        const made = outcome.calls.map(({ name, input }) => ({
          name,
          input: JSON.parse(input === '' ? '{}' : input) as unknown,
        }));
        expect(made).toEqual(calls);
      }
      // Gemini's clients get thoughts where they asked for them.
      if (!textOnly && client.name !== 'gemini') expect(outcome.thinking).toBe(thinking);
      expect(outcome.usage).toEqual({ prompt: usage.prompt, completion: usage.completion, cached: usage.cached ?? 0 });
      const requestId = response.header('x-request-id');
      if (recording.events === undefined) {
        expect(Number(response.header('x-gateway-cost'))).toBeCloseTo(dollarsOf(usage), 9);
      }
      billed.set(requestId, recording);
    });
  });

  const billed = new Map<string, Recording>();

  it('all of them are recorded at the cost that the provider bills', async () => {
    const records = new Map<string, Awaited<ReturnType<RunningGateway['admin']['usageRecords']>>[number]>();
    await until(async () => {
      for (const record of await gateway.admin.usageRecords()) records.set(record.request_id, record);
      return [...billed.keys()].every((id) => records.has(id));
    });
    for (const [id, { name, usage }] of billed) {
      const {
        prompt_tokens: prompt,
        completion_tokens: completion,
        cached_tokens: cached,
        cost_usd: cost,
        cost_basis: basis,
      } = records.get(id)!;
      expect([name, prompt, completion, cached, basis]).toEqual([
        name,
        usage.prompt,
        usage.completion,
        usage.cached ?? 0,
        'reported',
      ]);
      expect([name, Math.round((cost ?? 0) * 1e9)]).toEqual([name, Math.round(dollarsOf(usage) * 1e9)]);
    }
  });

  describe.each(WIRE_CLIENTS.map((client) => [client.name, client] as const))(
    'mutated streams in the format of %s',
    (_name, client) => {
      const streams = RECORDINGS.filter(({ events }) => events !== undefined);

      it.each(STREAM_MUTATIONS.map((mutation) => [mutation.name, mutation] as const))(
        '%s',
        async (_title, mutation) => {
          const cases = streams.flatMap((recording) =>
            Array.from({ length: SEEDS }, (_, index) => ({ recording, seed: FIRST_SEED * 1_000 + index })),
          );
          const work = async (): Promise<void> => {
            for (let next = cases.pop(); next !== undefined; next = cases.pop()) await check(next);
          };
          const check = async ({ recording, seed }: (typeof cases)[number]): Promise<void> => {
            const random = randomOf(seed * 31 + recording.name.length);
            const mutated = mutation.apply(recording.wire, recording.events ?? [], random);
            // A model of its own, so that no breaker opens for the others.
            const modelId = `${recording.provider}/${UPSTREAM_MODELS[recording.provider] ?? 'm'}-${client.name}-${mutation.name.length}-${seed}`;
            const response = await send(client, recording, mutated.pieces, modelId, mutated.breaks);
            try {
              expectSound(client, recording, response, mutation.keepsMeaning, mutated.isTruncation);
            } catch (error) {
              const sent = mutated.pieces.map((piece) => piece.toString()).join('');
              throw new Error(`seed ${seed}, ${recording.name}: ${response.status} ${response.text}\n\nfor ${sent}`, {
                cause: error,
              });
            }
          };
          await Promise.all(Array.from({ length: CONCURRENCY }, work));
        },
      );
    },
  );

  /** A whole response or an error, and a part of one is never whole. */
  function expectSound(
    client: WireClient,
    recording: Recording,
    response: GatewayResponse,
    keepsMeaning: boolean,
    isTruncation: boolean,
  ): void {
    expect(response.text).not.toContain('internal_error');
    if (response.status !== 200) {
      expect(keepsMeaning).toBe(false);
      expect([502, 503, 504, 429, 400]).toContain(response.status);
      expect(client.readWhole(response.body).error).toBeDefined();
      return;
    }
    const outcome = read(client, recording, response);
    expect([outcome.isWhole, outcome.error === undefined]).toEqual([outcome.isWhole, outcome.isWhole]);
    if (keepsMeaning) expect(outcome.isWhole).toBe(true);
    if ((keepsMeaning || (isTruncation && recording.isWholeEarly !== true)) && outcome.isWhole) {
      expect(outcome.text).toBe(recording.text ?? '');
      if (client.name !== 'completions')
        expect(outcome.calls.map(({ name }) => name)).toEqual((recording.calls ?? []).map(({ name }) => name));
    }
  }
});

/** A refusal in words is a whole response; formats other than OpenAI's have a reason of its own for it. */
function refusalFinish(client: WireClient, { body }: Recording, finish: Recording['finish']): Recording['finish'] {
  const isInWords = JSON.stringify(body ?? {}).includes('"refusal":"');
  if (!isInWords || finish !== 'stop') return finish;
  return ['messages', 'completions', 'gemini'].includes(client.name) ? 'content_filter' : finish;
}
