import { chaosTable } from '../chaos/chaos-table.js';
import { runChaos } from '../chaos/chaos-run.js';
import { checkHistory } from '../chaos/check-history.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model } from '../fixtures/gateway-config.js';
import { CALM, ChaosProvider } from '../upstreams/chaos/chaos-provider.js';
import { FAULTS } from '../upstreams/chaos/faults.js';

/** `npm run test:chaos` sets them; a short run otherwise. */
const isLong = process.env['CHAOS'] === 'long';
const SECONDS = Number(process.env['CHAOS_MINUTES'] ?? (isLong ? 2 : 0.1)) * 60;
const SEED = Number(process.env['CHAOS_SEED'] ?? 1);
const RATE = Number(process.env['CHAOS_RATE'] ?? 20);
/** Only ends a run that would never end: beside its load, it waits for what is in flight and checks the history. */
const MAX_RUN_MS = SECONDS * 2_000 + 600_000;
/** Of requests to providers that meet a fault. */
const FAULT_SHARE = 0.25;
/** Requests that the key may have in flight at once: so many that the rate does not reach them. */
const SLOTS = 100;

const FORMS = { alpha: 'chat', beta: 'messages', gamma: 'gemini' } as const;

describe('calls to three deployments that fail by chance', () => {
  const providers: ChaosProvider[] = [];
  let gateway: RunningGateway | undefined;
  afterAll(async () => {
    await gateway?.stop();
    await Promise.all(providers.map((provider) => provider.stop()));
  });

  it(
    'are answered right or with one error, and all that providers billed is recorded once',
    async () => {
      for (const [name, form] of Object.entries(FORMS)) {
        const refusesPrefill = form === 'messages';
        const provider = new ChaosProvider({ name, form, seed: SEED, faultShare: FAULT_SHARE, refusesPrefill });
        providers.push(provider);
        await provider.start();
      }
      const names = Object.keys(FORMS);
      gateway = await startGateway({
        config: {
          upstream: { timeouts: { connect: '10s', first_byte: '1500ms', idle: '1500ms' } },
          providers: Object.fromEntries(providers.map((provider) => [provider.options.name, provider.config])),
          models: [
            model(
              'chaos',
              names.map((name) => `${name}/chaos`),
              { price: { input_per_million: 1, output_per_million: 2 } },
            ),
            model(CALM, `alpha/${CALM}`, { price: { input_per_million: 1, output_per_million: 2 } }),
          ],
        },
      });
      const client = await gateway.newClient({
        budget: { usd: 1_000_000, period: 'total' },
        limits: { concurrency: SLOTS },
      });
      const history = await runChaos({
        gateway,
        client,
        providers,
        model: 'chaos',
        seed: SEED,
        rate: RATE,
        seconds: SECONDS,
        slots: SLOTS,
        price: { prompt: 1_000, completion: 2_000 },
      });
      const violations = checkHistory(history);
      const table = chaosTable(history, violations);
      if (isLong || violations.length > 0) console.log(`seed ${SEED}, ${RATE} requests/s, ${SECONDS} s\n${table}`);
      expect(violations).toEqual([]);
      // A run in which nothing went wrong, or nothing went right, shows nothing.
      expect(history.responses.filter(({ ending }) => ending === 'whole').length).toBeGreaterThan(SECONDS);
      expect(history.responses.filter(({ recovered }) => recovered > 0).length).toBeGreaterThan(0);
      expect(new Set(history.attempts.map(({ fault }) => fault)).size).toBeGreaterThan(FAULTS.length / 2);
    },
    MAX_RUN_MS,
  );
});
