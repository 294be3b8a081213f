import { ask } from '../../scripts/rescue/client.mjs';
import { eventOf, startFaultyProvider, type FaultyProvider } from '../../scripts/rescue/faulty-provider.mjs';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, type ProviderFile } from '../fixtures/gateway-config.js';

const FORMATS = ['chat', 'messages', 'responses', 'gemini'] as const;
type Format = (typeof FORMATS)[number];
const MODES = ['continue', 'restart'] as const;
const ENDINGS = ['reset', 'end'] as const;

/** Words that formats escape, of several bytes, or that look like framing. Each is one token. */
const UNUSUAL = ['"q"', 'é', '日本', '😀', 'data:', '\\n', '<x>', 'a\tb', '[DONE]', '.'];
const LONG = Array.from({ length: 60 }, (_, at) => (at % 6 === 5 ? (UNUSUAL[(at - 5) / 6] ?? '') : `word${at + 1}`));
const SHORT = ['one', 'two', '"3"', '😀', 'five', 'six'];
/** The word of the short text in whose event streams are cut: four bytes of one character, which two reads may divide. */
const CUT_WORD = 3;

type Length = 'long' | 'short';
const TEXTS: Readonly<Record<Length, string>> = { long: LONG.join(' '), short: SHORT.join(' ') };

interface Cut {
  readonly length: Length;
  readonly client: Format;
  readonly provider: Format;
  /** Whole words that are sent, and bytes of the event of the next one. */
  readonly words: number;
  readonly bytes: number;
  readonly mode: (typeof MODES)[number];
  readonly ending: (typeof ENDINGS)[number];
}

function upstreamModel({ words, bytes, ending }: Omit<Cut, 'client' | 'provider' | 'length' | 'mode'>): string {
  return `cut-${words}-${bytes}-${ending}`;
}

/** Each for the same format, and in one mode for another format, which differs from cut to cut. */
const TOKEN_CUTS: readonly Cut[] = FORMATS.flatMap((client, place) =>
  Array.from({ length: LONG.length + 1 }, (_, words) => words).flatMap((words) =>
    MODES.flatMap((mode, index) =>
      [0, ...(words % 2 === index ? [1 + (words % 3)] : [])].map((shift) => ({
        length: 'long' as const,
        client,
        provider: FORMATS[(place + shift) % FORMATS.length] ?? client,
        words,
        bytes: 0,
        mode,
        ending: ENDINGS[(words + index) % 2] ?? 'end',
      })),
    ),
  ),
);

/** Each for a client of one format, which differs from byte to byte. */
const BYTE_CUTS: readonly Cut[] = FORMATS.flatMap((provider, place) => {
  const longest = eventOf(
    provider,
    upstreamModel({ words: CUT_WORD, bytes: 999, ending: 'reset' }),
    SHORT[CUT_WORD] ?? '',
  );
  return Array.from({ length: Buffer.byteLength(longest) + 1 }, (_, bytes) => bytes).flatMap((bytes) =>
    MODES.map((mode, index) => ({
      length: 'short' as const,
      client: FORMATS[(place + bytes) % FORMATS.length] ?? provider,
      provider,
      words: CUT_WORD,
      bytes,
      mode,
      ending: ENDINGS[(bytes + index) % 2] ?? 'end',
    })),
  );
});

/** So many further attempts may always be in flight. */
const AT_ONCE = 3;

describe('a stream that is cut', () => {
  let upstreams: Readonly<Record<Length, FaultyProvider>>;
  let gateway: RunningGateway;
  let key: string;

  beforeAll(async () => {
    const [long, short] = await Promise.all([
      startFaultyProvider({ text: TEXTS.long }),
      startFaultyProvider({ text: TEXTS.short }),
    ]);
    upstreams = { long, short };
    const lengths = ['long', 'short'] as const;
    const providers = Object.fromEntries<ProviderFile>(
      lengths.flatMap((length) => [
        [`chat-${length}`, openAiAt(upstreams[length], { list_models: false })],
        [`messages-${length}`, { type: 'anthropic', base_url: `${upstreams[length].url}/v1`, api_key: 'x' }],
        [`responses-${length}`, openAiAt(upstreams[length], { responses: 'native', list_models: false })],
        [`gemini-${length}`, { type: 'google', base_url: `${upstreams[length].url}/v1beta`, api_key: 'x' }],
      ]),
    );
    gateway = await startGateway({
      config: {
        upstream: { timeouts: { connect: '60s' } },
        health: { probe: 'off', breaker: { failures: 1_000 } },
        providers,
        models: lengths.flatMap((length) =>
          FORMATS.flatMap((format) => [
            model(`${format}-${length}-ok`, `${format}-${length}/ok`),
            model(`cuts-${format}-${length}/*`, `${format}-${length}/*`, { fallbacks: [`${format}-${length}-ok`] }),
          ]),
        ),
      },
    });
    key = await gateway.apiKey({ scopes: ['inference', 'routing'] });
  });
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([upstreams.long.stop(), upstreams.short.stop()]);
  });

  /** Those whose client did not get the right text once, under one id, with usage. */
  async function wrong(cuts: readonly Cut[]): Promise<object[]> {
    const left = [...cuts];
    const faults: object[] = [];
    const work = async (): Promise<void> => {
      for (let cut = left.shift(); cut !== undefined; cut = left.shift()) {
        const { length, client, provider, mode } = cut;
        const id = `cuts-${provider}-${length}/${upstreamModel(cut)}`;
        const outcome = await ask(gateway.url, key, client, id, { 'x-gateway-stream-recovery': mode });
        const { isWhole, text, error, ids, usage } = outcome;
        const isRight = isWhole && text === TEXTS[length] && error === '' && ids.length === 1 && usage != null;
        if (!isRight) faults.push({ ...cut, isWhole, text, error, ids, usage });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return faults;
  }

  /** Every cut reached its provider, and each time another deployment went on. */
  function expectCuts(length: Length, cuts: readonly Cut[]): void {
    const names = upstreams[length].seen.map(({ model: name }) => name);
    expect(new Set(names.filter((name) => name !== 'ok'))).toEqual(new Set(cuts.map(upstreamModel)));
    expect(names.filter((name) => name === 'ok').length).toBeGreaterThanOrEqual(cuts.length);
  }

  it('behind any of sixty tokens reaches every client whole', async () => {
    expect(await wrong(TOKEN_CUTS)).toEqual([]);
    expectCuts('long', TOKEN_CUTS);
  });

  it('at any byte of an event reaches every client whole', async () => {
    expect(await wrong(BYTE_CUTS)).toEqual([]);
    expectCuts('short', BYTE_CUTS);
  });
});
