import type { GatewayResponse } from '../clients/gateway-response.js';
import type { WireClient } from '../clients/wire-clients/wire-client.js';
import { WIRE_CLIENTS } from '../clients/wire-clients/wire-clients.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { ERROR_EVENT_RECORDINGS, ERROR_RECORDINGS, type FailureKind } from '../fixtures/recordings/error-recordings.js';
import { object, objects, text, type JsonBody } from '../upstreams/native-formats/wire-format.js';
import { ReplayProvider } from '../upstreams/replay-provider.js';
import { streamFrames, streamTypeOf } from '../upstreams/stream-frames.js';

const MODELS: Readonly<Record<string, string>> = {
  anthropic: 'claude-sonnet-4-5',
  bedrock: 'eu.amazon.nova-2-lite-v1:0',
  google: 'gemini-2.5-flash',
  vertex: 'gemini-2.5-flash',
};
const PROVIDERS = [...new Set([...ERROR_RECORDINGS, ...ERROR_EVENT_RECORDINGS].map(({ provider }) => provider))];

/** What every format's clients branch on. */
interface Failure {
  readonly status: number;
  readonly message: string;
  /** OpenAI's `code`, Anthropic's `type`, Google's `status`. */
  readonly word: string;
  /** Seconds to wait, as the format says them beside the header. */
  readonly wait?: number;
}

/** The word of each kind, by the format of the client. */
const WORDS: Readonly<Record<FailureKind, Readonly<Record<'openai' | 'messages' | 'gemini' | 'failed', RegExp>>>> = {
  overflow: {
    openai: /^context_length_exceeded$/,
    messages: /^invalid_request_error$/,
    gemini: /^INVALID_ARGUMENT$/,
    failed: /^context_length_exceeded$/,
  },
  'rate limit': {
    openai: /^rate_limit_exceeded$/,
    messages: /^rate_limit_error$/,
    gemini: /^RESOURCE_EXHAUSTED$/,
    failed: /^rate_limit_exceeded$/,
  },
  overload: {
    openai: /^upstream_unavailable$/,
    messages: /^overloaded_error$/,
    gemini: /^UNAVAILABLE$/,
    failed: /^server_is_overloaded$/,
  },
  credentials: {
    openai: /^upstream_error$/,
    messages: /^api_error$/,
    gemini: /^UNAVAILABLE$/,
    failed: /^server_error$/,
  },
  failure: { openai: /^upstream_error$/, messages: /^api_error$/, gemini: /^UNAVAILABLE$/, failed: /^server_error$/ },
  quota: { openai: /^upstream_error$/, messages: /^api_error$/, gemini: /^UNAVAILABLE$/, failed: /^server_error$/ },
  'filtered content': {
    openai: /^(?:content_filter|invalid_prompt)$/,
    messages: /^(?:invalid_request_error|permission_error)$/,
    gemini: /^(?:INVALID_ARGUMENT|PERMISSION_DENIED)$/,
    failed: /^(?:content_filter|invalid_prompt)$/,
  },
};
/** Rules of the wire formats that a kind is about. */
const RULES: Partial<Record<FailureKind, string>> = { overflow: 'rules 8 and 16: ', 'rate limit': 'rules 10 and 16: ' };
const STATUSES: Readonly<Record<FailureKind, readonly number[]>> = {
  overflow: [400],
  'rate limit': [429],
  overload: [503, 529],
  credentials: [502],
  quota: [502],
  failure: [502],
  'filtered content': [400, 403],
};
/** Words by which agents know that the conversation has to be summarized. */
const OVERFLOW_WORDS: Readonly<Record<WireClient['name'], RegExp>> = {
  chat: /maximum context length/,
  completions: /maximum context length/,
  responses: /maximum context length|exceeds the context window/,
  messages:
    /^prompt is too long(?:: \d+ tokens > \d+ maximum)?|^input length and `max_tokens` exceed context limit: \d+ \+ \d+ > \d+/,
  gemini: /input token count.* exceeds the maximum number of tokens/,
};

function failureOf({ name }: WireClient, body: JsonBody): Failure {
  const error = object(body['error']);
  const message = text(error['message']);
  if (name === 'messages') return { status: 0, message, word: text(error['type']) };
  if (name === 'gemini') {
    const info = objects(error['details']).find((each) => text(each['@type']).endsWith('RetryInfo'));
    const wait = info === undefined ? {} : { wait: Number.parseFloat(text(info['retryDelay'])) };
    return { status: Number(error['code']), message, word: text(error['status']), ...wait };
  }
  return { status: 0, message, word: text(error['code']) };
}

describe('failures that providers report, in the words of every client', () => {
  const provider = new ReplayProvider();
  let gateway: RunningGateway;
  let count = 0;

  beforeAll(async () => {
    await provider.start();
    gateway = await startGateway({ config: { providers: provider.providers(PROVIDERS) } });
  });
  afterAll(async () => {
    await gateway.stop();
    await provider.stop();
  });

  /** A deployment of its own, which no failure of another test has paused. */
  const modelOf = (name: string): string => `${name}/${MODELS[name] ?? 'm'}-${(count += 1)}`;

  async function ask(client: WireClient, name: string, prompt: string, isStream: boolean): Promise<GatewayResponse> {
    const { path, body } = client.ask({ model: modelOf(name), prompt, isStream });
    return gateway.admin.post(path, JSON.stringify(body));
  }

  function expectFailure(client: WireClient, kind: FailureKind, failure: Failure, isFailedEvent: boolean): void {
    const family = client.name === 'messages' || client.name === 'gemini' ? client.name : 'openai';
    expect(failure.word).toMatch(WORDS[kind][isFailedEvent ? 'failed' : family]);
    expect(failure.message).not.toBe('');
    if (kind === 'overflow') expect(failure.message).toMatch(OVERFLOW_WORDS[client.name]);
    if (kind === 'failure') expect(failure.message).toContain('the model broke down');
    // What is wrong with the operator's account is for the operator.
    if (kind === 'credentials' || kind === 'quota') {
      expect(failure.message).not.toMatch(/key|token|quota|credit|balance|billing|usage limits|secret/i);
    }
    if (kind === 'rate limit' && client.name === 'gemini') expect(failure.wait).toBe(7);
    if (kind === 'rate limit' && isFailedEvent) expect(failure.message).toMatch(/try again in 7 ?s/);
  }

  describe.each(WIRE_CLIENTS.map((client) => [client.name, client] as const))('%s', (_name, client) => {
    it.each(
      ERROR_RECORDINGS.map(
        (recording) => [`${RULES[recording.kind] ?? ''}${recording.kind}, ${recording.name}`, recording] as const,
      ),
    )('%s', async (_title, { kind, provider: name, status, headers = {}, body }) => {
      const reply = {
        status,
        headers: { 'content-type': 'application/json', ...headers },
        pieces: [JSON.stringify(body)],
      };
      for (const isStream of [false, true]) {
        const response = await ask(client, name, provider.add(reply), isStream);
        if (isStream && response.status === 200) {
          // Responses reports an overflow in the stream, where agents look for it.
          expect([client.name, kind]).toEqual(['responses', 'overflow']);
          const { error } = client.readStream(response.text, true);
          expectFailure(client, kind, failureOf(client, error ?? {}), true);
          continue;
        }
        expect([STATUSES[kind], response.status, response.text]).toEqual([
          expect.arrayContaining([response.status]) as number[],
          response.status,
          response.text,
        ]);
        expectFailure(client, kind, failureOf(client, response.body), false);
        if (kind === 'rate limit') expect(response.header('retry-after')).toBe('7');
        if (client.name === 'messages')
          expect(response.body).toMatchObject({ type: 'error', request_id: expect.any(String) as string });
      }
    });

    it.each(
      ERROR_EVENT_RECORDINGS.map(
        (recording) =>
          [`${RULES[recording.kind] ?? ''}within a stream: ${recording.kind}, ${recording.name}`, recording] as const,
      ),
    )('%s', async (_title, { kind, provider: name, wire, events }) => {
      const pieces = streamFrames(wire, events).filter((piece) => piece !== 'data: [DONE]\n\n');
      const prompt = provider.add({ headers: { 'content-type': streamTypeOf(wire) }, pieces });
      const response = await ask(client, name, prompt, true);
      const isNative = client.native.includes(wire);
      if (response.status !== 200) {
        // The failure came with the first bytes, so that nothing had been sent.
        expect(STATUSES[kind]).toContain(response.status);
        expectFailure(client, kind, failureOf(client, response.body), false);
        return;
      }
      const outcome = client.readStream(response.text, !isNative);
      expect(outcome.isWhole).toBe(false);
      const error = outcome.error ?? {};
      expectFailure(client, kind, failureOf(client, error), client.name === 'responses');
    });
  });
});
