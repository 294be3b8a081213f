import { setTimeout as pause } from 'node:timers/promises';
import type { GatewayClient } from '../clients/gateway-client.js';
import { until } from '../fixtures/until.js';
import type { RunningGateway } from '../fixtures/gateway.js';
import { CALM, type ChaosProvider } from '../upstreams/chaos/chaos-provider.js';
import { promptOf } from '../upstreams/chaos/right-response.js';
import type { CallHistory, ClientResponse, Ledger, RecordedUsage } from './call-history.js';
import { questionOf, type ChaosQuestion } from './chaos-question.js';
import { libraryRaises } from './library-raises.js';
import { readResponse, type Received } from './read-response.js';

/** Streams whose bytes the official libraries read as well: all that broke, and one of so many others. */
const LIBRARY_EVERY = 10;
const CALM_ID = 9_000_000;
/** Longer than any timeout of the run. */
const REST_MS = 30_000;
const OUTAGE_MS = 600;
const OUTAGE_EVERY_MS = 8_000;

export interface ChaosRun {
  readonly gateway: RunningGateway;
  readonly client: GatewayClient;
  readonly providers: readonly ChaosProvider[];
  readonly model: string;
  readonly seed: number;
  /** Requests a second, sent whether or not earlier ones have ended. */
  readonly rate: number;
  readonly seconds: number;
  readonly slots: number;
  readonly price: CallHistory['price'];
}

/** Sends the requests of a run, and gathers what clients, providers and the gateway say of it. */
export async function runChaos(run: ChaosRun): Promise<CallHistory> {
  const { providers, rate, seconds, seed, model, client, price } = run;
  const started = performance.now();
  const isOver = { value: false };
  const outages = breakConnections(run, isOver);
  const sent: Promise<ClientResponse>[] = [];
  for (let id = 0; id < rate * seconds; id += 1) {
    const early = started + (id * 1_000) / rate - performance.now();
    if (early > 1) await pause(early);
    sent.push(send(questionOf(id, seed, model), client));
  }
  const responses = await Promise.all(sent);
  isOver.value = true;
  await outages;
  await atRest(run.gateway);
  const records = await recordsOf(run);
  const ledger = await ledgerOf(run);
  const attempts = providers.flatMap((provider) => [...provider.attempts]);
  const usableSlots = await usable(run);
  return { attempts, responses, records, ledger: { ...ledger, usableSlots }, deployments: providers.length, price };
}

/** One provider after the other refuses connections for a moment. */
async function breakConnections({ providers }: ChaosRun, isOver: { readonly value: boolean }): Promise<void> {
  for (let round = 0; ; round += 1) {
    for (let waited = 0; waited < OUTAGE_EVERY_MS; waited += 100) {
      if (isOver.value) return;
      await pause(100);
    }
    const provider = providers[round % providers.length];
    await provider?.stop();
    await pause(OUTAGE_MS);
    await provider?.start();
  }
}

async function send(question: ChaosQuestion, client: GatewayClient): Promise<ClientResponse> {
  const { id, leavesAfterMs, isStream } = question;
  const leaving = new AbortController();
  const timer = leavesAfterMs === undefined ? undefined : setTimeout(() => leaving.abort(), leavesAfterMs);
  const received = await receive(question, client, leaving.signal);
  clearTimeout(timer);
  const response = readResponse(question, received);
  const isAsked = response.ending === 'error' || (response.ending === 'whole' && id % LIBRARY_EVERY === 0);
  if (!isAsked || !isStream || response.status !== 200 || question.choices > 1) return response;
  return { ...response, isRaised: await libraryRaises(question, received.text) };
}

async function receive(question: ChaosQuestion, client: GatewayClient, signal: AbortSignal): Promise<Received> {
  const received = { status: 0, contentType: '', text: '', isLeft: false, failure: '' };
  try {
    const headers = { 'x-request-id': requestIdOf(question.id) };
    const opened = await client.open(question.path, question.body, { headers, signal });
    received.status = opened.status;
    received.contentType = opened.headers.get('content-type') ?? '';
    for await (const piece of opened.pieces) received.text += piece;
  } catch (error) {
    if (signal.aborted) received.isLeft = true;
    else received.failure = String(error);
  }
  return received;
}

function requestIdOf(id: number): string {
  return `chaos-${id}`;
}

/** How many requests the key may have in flight at once: as many as it may, unless a slot was not freed. */
async function usable({ client, providers, slots }: ChaosRun): Promise<number> {
  const [provider] = providers;
  if (provider === undefined) return 0;
  const release = provider.holdCalm();
  const ask = async (id: number): Promise<number> => {
    const messages = [{ role: 'user', content: promptOf({ id: CALM_ID + id, kind: 'text' }) }];
    return (await client.post('/v1/chat/completions', { model: CALM, messages, max_tokens: 100 })).status;
  };
  let refused = 0;
  const all = Array.from({ length: slots }, async (_, id) => {
    const status = await ask(id);
    if (status === 429) refused += 1;
    return status;
  });
  await until(() => provider.waiting + refused === slots);
  const oneMore = await ask(slots);
  release();
  const statuses = await Promise.all(all);
  const served = statuses.filter((status) => status === 200).length;
  // Where one more is served, the limit does not hold.
  return oneMore === 429 ? served : slots + 1;
}

/** Waits until nothing is in flight and all records are stored, or for so long that what is left stays. */
async function atRest(gateway: RunningGateway): Promise<void> {
  const busy = ['gateway_requests_in_flight', 'gateway_deployment_in_flight', 'gateway_usage_records_waiting'];
  const started = performance.now();
  while (performance.now() - started < REST_MS) {
    const metrics = await gateway.admin.metrics();
    const values = busy.flatMap((name) => (metrics.get(name)?.samples ?? []).map(({ value }) => value));
    if (values.every((value) => value === 0)) break;
    await pause(200);
  }
}

async function recordsOf({ gateway, client }: ChaosRun): Promise<RecordedUsage[]> {
  const records = await gateway.admin.usageRecords(`key_id=${client.keyId}`);
  return records.map((record) => ({
    id: Number(record.request_id.replace('chaos-', '')),
    provider: record.provider ?? '',
    status: record.status,
    attempts: record.attempts,
    promptTokens: record.prompt_tokens,
    completionTokens: record.completion_tokens,
    isEstimated: record.estimated,
    basis: record.cost_basis,
    costNanos: nanosOf(record.cost_usd ?? 0),
  }));
}

function nanosOf(dollars: number): number {
  return Math.round(dollars * 1e9);
}

async function ledgerOf({ gateway, client, slots }: ChaosRun): Promise<Omit<Ledger, 'usableSlots'>> {
  const { data } = await gateway.admin.read<{ data: { id: string; budget_usage: { spent_usd: number } | null }[] }>(
    '/v1/admin/keys?limit=100',
  );
  const usage = data.find(({ id }) => id === client.keyId)?.budget_usage;
  const metrics = await gateway.admin.metrics();
  const sum = (name: string, labels: Record<string, string> = {}): number =>
    (metrics.get(name)?.samples ?? [])
      .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
      .reduce((total, { value }) => total + value, 0);
  return {
    spentNanos: nanosOf(usage?.spent_usd ?? 0),
    requestsInFlight: sum('gateway_requests_in_flight'),
    callsAtDeployments: sum('gateway_deployment_in_flight'),
    slots,
    tokens: {
      prompt: sum('gateway_tokens_total', { kind: 'prompt' }),
      completion: sum('gateway_tokens_total', { kind: 'completion' }),
    },
    costNanos: nanosOf(sum('gateway_cost_dollars_total')),
  };
}
