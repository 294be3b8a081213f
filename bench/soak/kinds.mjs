/**
 * What the soak asks for. Half of the requests are good; of the others the provider or the client is at fault. Each kind says
 * which outcomes are honest; anything else breaks the run.
 *
 * - `share`: percent of all requests
 * - `models`: what its model does at the provider, deployment by deployment, as the fake upstream names it; `refused` is a
 *   provider that is not reachable; a kind without models is refused by the gateway itself and uses the model of `plain`
 * - `leaves`: what the client does instead of reading to the end
 * - `record`: the status that its usage record must have, where that is certain
 */
/** More than the kernel's buffers of two connections hold (20 MB here), less than the cap of an answer (32 MB). */
const ENDLESS = 'endless?mb=28&kind=chunks';

export const KINDS = [
  { name: 'plain', share: 20, isGood: true, models: ['echo?delay=20'], honest: ['whole'], record: 'succeeded' },
  {
    name: 'stream',
    share: 22,
    isGood: true,
    stream: true,
    models: ['words?count=40&delay=10'],
    honest: ['whole'],
    record: 'succeeded',
  },
  {
    name: 'second deployment',
    share: 4,
    isGood: true,
    models: ['status-500', 'echo'],
    honest: ['whole'],
    record: 'succeeded',
  },
  {
    name: 'tools',
    share: 4,
    isGood: true,
    stream: true,
    models: ['tools'],
    honest: ['whole'],
    record: 'succeeded',
  },

  { name: '500', share: 3, models: ['status-500'], honest: ['502 upstream_error'], record: 'failed' },
  { name: '429', share: 3, models: ['status-429?retry-after-ms=200'], honest: ['429 rate_limit_exceeded'] },
  { name: 'no server', share: 2, models: ['refused'], honest: ['502 upstream_error'], record: 'failed' },
  {
    name: 'reset before the stream',
    share: 3,
    stream: true,
    models: ['reset?at=headers'],
    honest: ['502 upstream_error'],
    record: 'failed',
  },
  {
    name: 'reset in the stream',
    share: 4,
    stream: true,
    models: ['reset?at=mid'],
    honest: ['error event upstream_error'],
    record: 'failed',
  },
  {
    name: 'stream cut short',
    share: 3,
    stream: true,
    models: ['truncate?at=json'],
    honest: ['error event upstream_error'],
    record: 'failed',
  },
  {
    name: 'body cut short',
    share: 3,
    models: ['close?at=mid&length'],
    honest: ['502 upstream_error'],
    record: 'failed',
  },
  { name: 'no answer', share: 2, models: ['stall?at=headers'], honest: ['504 upstream_timeout'], record: 'failed' },
  {
    name: 'stream stalls',
    share: 4,
    stream: true,
    models: ['stall?at=mid'],
    honest: ['error event upstream_timeout'],
    record: 'failed',
  },
  { name: 'no JSON', share: 1, models: ['lie?with=html'], honest: ['502 upstream_error'], record: 'failed' },
  {
    name: 'malformed event',
    share: 1,
    stream: true,
    models: ['malformed'],
    honest: ['error event upstream_error'],
    record: 'failed',
  },

  // A client that disconnects receives nothing; whether its request had ended by then is a matter of chance.
  { name: 'leaves before the answer', share: 4, models: ['echo?delay=2000'], leaves: 'early', honest: ['left'] },
  {
    name: 'leaves before the stream',
    share: 3,
    stream: true,
    models: ['stall?at=first'],
    leaves: 'early',
    honest: ['left'],
  },
  {
    name: 'leaves in the stream',
    share: 5,
    stream: true,
    models: ['words?count=300&delay=10'],
    leaves: 'midway',
    honest: ['left'],
  },
  { name: 'leaves in its request', share: 1, leaves: 'request', honest: ['left'] },
  { name: 'stops reading and leaves', share: 1, stream: true, models: [ENDLESS], leaves: 'unread', honest: ['left'] },
  {
    name: 'stops reading and goes on',
    share: 0.5,
    stream: true,
    // Little enough to be read within the total timeout on a busy machine.
    models: ['endless?mb=16&kind=chunks'],
    pausesFor: [500, 2000],
    honest: ['error event upstream_error'],
    record: 'failed',
  },
  {
    name: 'stops reading for too long',
    share: 0.5,
    stream: true,
    models: [ENDLESS],
    // Longer than the whole call may take: the gateway has to let go of the provider without it.
    pausesFor: [11_000, 12_000],
    honest: ['error event upstream_timeout', 'connection lost'],
  },

  { name: 'broken JSON', share: 2, breaks: 'json', honest: ['400 invalid_json'] },
  { name: 'no messages', share: 1, breaks: 'messages', honest: ['400 missing_required_parameter'] },
  { name: 'wrong key', share: 2, breaks: 'key', honest: ['401 invalid_api_key'] },
  { name: 'body too large', share: 1, breaks: 'size', honest: ['413 request_too_large'] },
].map((kind) => ({ ...kind, model: `soak-${(kind.models ? kind.name : 'plain').replaceAll(' ', '-')}` }));

/** Milliseconds; every wait of the gateway's on a provider is bounded by them. Long enough for a busy machine. */
export const TIMEOUTS = { connect: 2000, first_byte: 3000, idle: 3000, total: 9000 };
/** Bytes of a request body. */
export const MAX_BODY_BYTES = 256 * 1024;

/** gateway.yaml: a model for each kind, so that each has breakers and metrics of its own. */
export function gatewayConfig(origin, closedPort) {
  const timeouts = Object.entries(TIMEOUTS).map(([name, milliseconds]) => `${name}: ${milliseconds}ms`);
  const models = [{ name: 'batch failure', models: ['status-503'], model: 'soak-batch-failure' }, ...KINDS]
    .filter((kind) => kind.models !== undefined)
    .map(({ model, models: behaviours }) => {
      const deployments = behaviours.map((behaviour) =>
        behaviour === 'refused' ? '{ provider: unreachable, model: any }' : `{ provider: fake, model: '${behaviour}' }`,
      );
      const price = '{ input_per_million: 1, output_per_million: 2 }';
      return `  - { id: ${model}, strategy: priority, deployments: [${deployments.join(', ')}], price: ${price} }`;
    });
  return `server: { max_body_size: ${MAX_BODY_BYTES / 1024}KB }
streaming: { keep_alive: 500ms }
upstream: { timeouts: { ${timeouts.join(', ')} } }
batch: { max_attempts: 2 }
providers:
  fake: { type: openai, base_url: ${origin}/v1, api_key: soak-key }
  unreachable: { type: openai, base_url: 'http://127.0.0.1:${closedPort}/v1' }
models:
${models.join('\n')}
`;
}
