/**
 * Prints what clients get from sixteen faults of a provider, in four formats, with a fallback and without one.
 * Needs a build. Fails where a cell with a fallback does not pass, or one without it fails.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGatewayProcess } from '../gateway-process.mjs';
import { ask } from './client.mjs';
import { RESPONSE, startFaultyProvider, TIMES } from './faulty-provider.mjs';

/** @typedef {import('./client.mjs').Outcome} Outcome */
/** @typedef {{ model: string, at: number, action: string }} Seen */
/** @typedef {'pass' | 'partial' | 'safe' | 'fail'} Verdict */
/** @typedef {{ took: number, primary: Seen[], hasFallback: boolean, outcome: Outcome }} Facts */

const FORMATS = /** @type {const} */ (['chat', 'messages', 'responses', 'gemini']);
const ADMIN_KEY = 'rescue-admin-key-0123456789abcdef';
/** Longest time that a request may take; more is a hang. */
const HANG_MS = 20_000;
/** Longest time until a model that is well again is used, and the time between two requests that watch it. */
const MAX_LATE_MS = 5_000;
const OUTAGE_INTERVAL_MS = 1_200;
/** Of faults that last, which no wait may prolong. */
const LASTING_MS = 600;

/** What must hold beside the answer. @type {Record<string, { title: string, wantsError?: boolean, holds?: (facts: Facts) => boolean }>} */
const SCENARIOS = {
  s01: { title: '429 with Retry-After', holds: ({ primary }) => primary.length === 2 && gap(primary) >= 1_800 },
  s02: { title: '429 that lasts', holds: ({ primary, took }) => primary.length === 1 && took < LASTING_MS },
  s03: { title: '500 once', holds: ({ primary }) => primary.length === 2 },
  s04: { title: '503 that lasts', holds: ({ primary, took }) => primary.length <= 2 && took < LASTING_MS },
  s05: { title: 'reset before headers' },
  s06: { title: 'no response', holds: ({ primary }) => primary.length === 1 },
  s07: { title: 'slow first token', holds: ({ hasFallback, took }) => !hasFallback || took < TIMES.slow },
  s08: { title: 'stream cut' },
  s09: { title: 'stream stalls', holds: ({ took }) => took < TIMES.stall },
  s10: { title: 'malformed event' },
  s11: { title: 'no end marker', holds: ({ outcome }) => outcome.usage != null },
  s12: { title: 'prompt too long', holds: ({ primary }) => primary.length === 1 },
  s13: { title: 'content refused', wantsError: true, holds: ({ primary }) => primary.length === 1 },
  s14: { title: 'cut, fallback takes no prefill' },
  s15: { title: 'down for 6 s, then well' },
  s16: { title: '503: model and usage', holds: ({ outcome, took }) => outcome.usage != null && took < LASTING_MS },
};

/** @param {Seen[]} primary */
function gap([first, second]) {
  return first === undefined || second === undefined ? 0 : second.at - first.at;
}

/** @param {string} url of the provider */
function configuration(url) {
  const providers = {
    chat: { type: 'openai', base_url: `${url}/v1`, list_models: false },
    messages: { type: 'anthropic', base_url: `${url}/v1`, api_key: 'x' },
    responses: { type: 'openai', base_url: `${url}/v1`, responses: 'native', list_models: false },
    gemini: { type: 'google', base_url: `${url}/v1beta`, api_key: 'x' },
  };
  const models = FORMATS.flatMap((format) => [
    ...['ok', 'ok-noprefill'].map((name) => ({
      id: `${format}-${name}`,
      deployments: [{ provider: format, model: `${format}-${name}` }],
    })),
    ...Object.keys(SCENARIOS).flatMap((name) =>
      ['with', 'without'].map((way) => ({
        id: `${format}-${name}-${way}`,
        deployments: [{ provider: format, model: `${format}-${name}-${way}` }],
        fallbacks: way === 'without' ? [] : [`${format}-${name === 's14' ? 'ok-noprefill' : 'ok'}`],
      })),
    ),
  ]);
  const upstream = { timeouts: { connect: '5s', first_byte: '2s', idle: '1s' } };
  return { upstream, providers, models };
}

/**
 * @param {string} name
 * @param {Outcome} outcome
 * @param {Seen[]} primary
 * @param {boolean} hasFallback
 * @returns {Verdict}
 */
function verdictOf(name, outcome, primary, hasFallback) {
  const { wantsError = false, holds } = SCENARIOS[name] ?? { title: '' };
  const { isWhole, text, error, took, ids } = outcome;
  const isComplete = isWhole && error === '' && text === RESPONSE && ids.length <= 1;
  if (took > HANG_MS || (isWhole && !isComplete)) return 'fail';
  const isFine = holds?.({ took, primary, hasFallback, outcome }) ?? true;
  if (wantsError) return isComplete ? 'partial' : isFine ? 'pass' : 'fail';
  if (isComplete) return isFine ? 'pass' : 'partial';
  return 'safe';
}

/** Requests during and after an outage: all get a response, and the model is used again within 5 s of being well. */
async function outage(/** @type {() => Promise<Outcome>} */ call, /** @type {() => Seen[]} */ primary) {
  const started = performance.now();
  let responded = true;
  while (performance.now() - started < TIMES.outage + MAX_LATE_MS + OUTAGE_INTERVAL_MS) {
    const next = performance.now() + OUTAGE_INTERVAL_MS;
    const { isWhole, text } = await call();
    responded &&= isWhole && text === RESPONSE;
    if (primary().some(({ action }) => action === '200')) return { responded, isBack: true };
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
  }
  return { responded, isBack: false };
}

const folder = mkdtempSync(join(tmpdir(), 'rescue-'));
const provider = await startFaultyProvider();
const config = join(folder, 'gateway.yaml');
writeFileSync(config, JSON.stringify(configuration(provider.url)));
const { url, child } = await startGatewayProcess({
  application: process.cwd(),
  folder,
  adminKey: ADMIN_KEY,
  env: { GATEWAY_CONFIG: config },
});
const counts = { with: { pass: 0, partial: 0, safe: 0, fail: 0 }, without: { pass: 0, partial: 0, safe: 0, fail: 0 } };
try {
  const made = await fetch(`${url}/v1/admin/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'rescue' }),
  });
  const { key } = /** @type {{ key: string }} */ (await made.json());
  // Further attempts are bounded to a fifth of the requests, so that most of them must go well.
  const healthy = async () => {
    for (let batch = 0; batch < 3; batch += 1) {
      await Promise.all(Array.from({ length: 25 }, () => ask(url, key, 'chat', 'chat-ok')));
    }
  };
  await healthy();
  /** @param {typeof FORMATS[number]} format @param {string} name @param {'with' | 'without'} way */
  const cell = async (format, name, way) => {
    const model = `${format}-${name}-${way}`;
    const primary = () => provider.seen.filter((each) => each.model === model);
    const call = () => ask(url, key, format, model);
    if (name !== 's15') {
      const outcome = await call();
      const verdict = verdictOf(name, outcome, primary(), way === 'with');
      return { verdict, took: outcome.took, outcome, primary: primary() };
    }
    const started = performance.now();
    const { responded, isBack } = await outage(call, primary);
    /** @type {Verdict} */
    const verdict = isBack && responded ? 'pass' : isBack || way === 'without' ? 'safe' : 'fail';
    return { verdict, took: performance.now() - started, outcome: undefined, primary: [] };
  };
  const rows = [
    'fault                              ' +
      ['with', 'without'].flatMap((way) => FORMATS.map((format) => `${format} (${way})`.padEnd(20))).join(''),
  ];
  const lasting = Promise.all(
    /** @type {const} */ (['with', 'without']).flatMap((way) => FORMATS.map((format) => cell(format, 's15', way))),
  );
  for (const [name, { title }] of Object.entries(SCENARIOS)) {
    await healthy();
    const cells =
      name === 's15'
        ? await lasting
        : await Promise.all(
            /** @type {const} */ (['with', 'without']).flatMap((way) =>
              FORMATS.map((format) => cell(format, name, way)),
            ),
          );
    cells.forEach(({ verdict, outcome, primary }, at) => {
      counts[at < FORMATS.length ? 'with' : 'without'][verdict] += 1;
      if ((at < FORMATS.length && verdict !== 'pass') || verdict === 'fail') {
        process.stderr.write(`${name} ${at}: ${verdict} ${JSON.stringify({ ...outcome, primary })}\n`);
      }
    });
    const texts = cells.map(({ verdict, took }) => `${verdict} ${(took / 1_000).toFixed(1)} s`.padEnd(20));
    rows.push(`${`${name} ${title}`.padEnd(35)}${texts.join('')}`);
  }
  rows.push(
    '',
    `with a fallback: ${JSON.stringify(counts.with)}`,
    `without one: ${JSON.stringify(counts.without)}`,
    '',
  );
  process.stdout.write(rows.join('\n'));
} finally {
  child.kill('SIGTERM');
  await provider.stop();
  rmSync(folder, { recursive: true, force: true });
}
if (counts.with.pass !== Object.keys(SCENARIOS).length * FORMATS.length || counts.without.fail > 0)
  process.exitCode = 1;
