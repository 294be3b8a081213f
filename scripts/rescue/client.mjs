/** Clients of four formats that read a stream as the official libraries do: one that did not finish is an error. */

/**
 * @typedef {object} Outcome
 * @property {boolean} isWhole whether the stream finished as its format says
 * @property {string} text
 * @property {string} error empty where there is none
 * @property {any} usage
 * @property {string | null} model the configured model that responded
 * @property {number} took milliseconds
 * @property {number} recovered as the end of the stream says it
 * @property {string[]} ids of the response; more than one is a fault
 */

const PROMPT = 'Explain in sixty words why a gateway earns trust.';

const TURNS = [{ role: 'user', content: PROMPT }];

/** The path and the body of a request in each format. */
const REQUESTS = {
  /** @param {string} model */
  chat: (model) => ({
    path: '/v1/chat/completions',
    body: { model, stream: true, messages: TURNS, stream_options: { include_usage: true } },
  }),
  /** @param {string} model */
  messages: (model) => ({
    path: '/v1/messages',
    body: { model, stream: true, messages: TURNS, max_tokens: 500 },
  }),
  /** @param {string} model */
  responses: (model) => ({ path: '/v1/responses', body: { model, stream: true, input: TURNS } }),
  /** @param {string} model */
  gemini: (model) => ({
    path: `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    body: { contents: [{ role: 'user', parts: [{ text: PROMPT }] }] },
  }),
};

/**
 * @param {string} url of the gateway
 * @param {string} key
 * @param {keyof typeof REQUESTS} format
 * @param {string} model
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Outcome>}
 */
export async function ask(url, key, format, model, headers = {}) {
  const { path, body } = REQUESTS[format](model);
  const started = performance.now();
  /** @type {Outcome} */
  const outcome = {
    isWhole: false,
    text: '',
    error: '',
    usage: undefined,
    model: null,
    took: 0,
    recovered: 0,
    ids: [],
  };
  try {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    outcome.model = response.headers.get('x-gateway-model');
    const text = await response.text();
    if (response.status !== 200) outcome.error = `HTTP ${response.status} ${text}`;
    else for (const data of events(text)) READERS[format](data, outcome);
  } catch (error) {
    outcome.error = String(error);
  }
  outcome.took = performance.now() - started;
  if (!outcome.isWhole && outcome.error === '') outcome.error = 'the stream did not finish';
  return outcome;
}

/** @param {string} text @returns {Generator<string>} */
function* events(text) {
  for (const frame of text.split('\n\n')) {
    const line = frame.split('\n').find((each) => each.startsWith('data: '));
    if (line !== undefined) yield line.slice('data: '.length);
  }
}

/** @type {Record<keyof typeof REQUESTS, (data: string, outcome: Outcome) => void>} */
const READERS = {
  chat: (data, outcome) => {
    if (data === '[DONE]') {
      outcome.isWhole = outcome.error === '';
      return;
    }
    const chunk = JSON.parse(data);
    if (chunk.error !== undefined) outcome.error = JSON.stringify(chunk.error);
    note(outcome, chunk.id, chunk.x_gateway_recovered);
    outcome.usage = chunk.usage ?? outcome.usage;
    outcome.text += chunk.choices?.[0]?.delta.content ?? '';
  },
  messages: (data, outcome) => {
    const event = JSON.parse(data);
    note(outcome, event.message?.id, event.x_gateway_recovered);
    if (event.type === 'error') outcome.error = JSON.stringify(event.error);
    if (event.type === 'content_block_delta') outcome.text += event.delta.text ?? '';
    if (event.type === 'message_delta') outcome.usage = event.usage;
    if (event.type === 'message_stop') outcome.isWhole = outcome.error === '';
  },
  responses: (data, outcome) => {
    const event = JSON.parse(data);
    note(outcome, event.response?.id, event.response?.x_gateway_recovered);
    if (event.type === 'response.failed') outcome.error = JSON.stringify(event.response.error);
    if (event.type === 'response.output_text.delta') outcome.text += event.delta;
    if (event.type !== 'response.completed') return;
    outcome.isWhole = true;
    outcome.usage = event.response.usage;
    const whole = event.response.output.map((/** @type {any} */ item) => item.content?.[0]?.text ?? '').join('');
    if (whole !== outcome.text) outcome.error = 'the last event has another text than the deltas';
  },
  gemini: (data, outcome) => {
    const event = JSON.parse(data);
    const [candidate] = event.candidates ?? [];
    note(outcome, event.responseId, candidate?.x_gateway_recovered);
    if (event.error !== undefined) outcome.error = JSON.stringify(event.error);
    if (event.promptFeedback !== undefined) outcome.error = JSON.stringify(event.promptFeedback);
    outcome.usage = event.usageMetadata ?? outcome.usage;
    for (const part of candidate?.content?.parts ?? []) outcome.text += part.text ?? '';
    if (candidate?.finishReason !== undefined) outcome.isWhole = true;
    if (outcome.error !== '') outcome.isWhole = false;
  },
};

/** @param {Outcome} outcome @param {string | undefined} id @param {number | undefined} recovered */
function note(outcome, id, recovered) {
  if (id !== undefined && !outcome.ids.includes(id)) outcome.ids.push(id);
  outcome.recovered = recovered ?? outcome.recovered;
}
