import { eventsOf, type Outcome } from '../clients/wire-clients/wire-client.js';
import { object, objects, text as textIn, type JsonBody } from '../upstreams/native-formats/wire-format.js';
import type { ClientResponse } from './call-history.js';
import type { ChaosQuestion } from './chaos-question.js';

/** What a client received. */
export interface Received {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** The client went away, or the connection broke. */
  readonly isLeft: boolean;
  readonly failure: string;
}

/** Reads what a client received as strictly as its format allows. */
export function readResponse(question: ChaosQuestion, received: Received): ClientResponse {
  const { id, kind, client, isStream, choices } = question;
  const { status, text, isLeft, failure } = received;
  const same = {
    id,
    kind,
    format: client.name,
    isStream: isStream && status === 200,
    choices,
    status,
    recovered: Number(/"x_gateway_recovered": ?(\d+)/.exec(text)?.[1] ?? 0),
    isRaised: undefined,
  };
  const texts = textsOf(question, received);
  const nothing = { ...same, texts, calls: [], finish: undefined, usage: undefined };
  if (isLeft) return { ...nothing, ending: 'left', detail: '' };
  if (failure !== '') return { ...nothing, ending: 'cut', detail: failure };
  try {
    const outcome = outcomeOf(question, received);
    const { calls, finish, usage, error } = outcome;
    const ending = outcome.isWhole ? 'whole' : error === undefined ? 'cut' : 'error';
    const detail = error === undefined ? '' : JSON.stringify(error).slice(0, 300);
    const ids = idsOf(question, received);
    if (ids.size > 1) return { ...nothing, ending: 'malformed', detail: `ids ${[...ids].join(', ')}` };
    return { ...same, texts, calls: outcome.isWhole ? calls : [], finish, usage, ending, detail };
  } catch (error) {
    return { ...nothing, ending: 'malformed', detail: String(error) };
  }
}

function outcomeOf({ client, isStream }: ChaosQuestion, { status, contentType, text }: Received): Outcome {
  if (status === 200 && isStream) {
    if (!contentType.startsWith('text/event-stream')) throw new Error(`a stream of ${contentType}`);
    return client.readStream(text, true);
  }
  const body = JSON.parse(text) as JsonBody;
  if (status === 200) return client.readWhole(body);
  if (object(body['error'])['message'] === undefined) throw new Error(`no error: ${text.slice(0, 200)}`);
  return { isWhole: false, text: '', thinking: '', calls: [], error: body };
}

/** The text of each choice so far, also of a response without an end. */
function textsOf({ client, isStream, choices }: ChaosQuestion, { status, text }: Received): string[] {
  if (status !== 200) return [];
  const texts: string[] = Array.from({ length: choices }, () => '');
  const add = (index: unknown, more: unknown): void => {
    const at = typeof index === 'number' ? index : 0;
    texts[at] = (texts[at] ?? '') + textIn(more);
  };
  for (const body of isStream ? dataOf(text) : [jsonOf(text)]) {
    switch (client.name) {
      case 'chat':
        for (const choice of objects(body['choices']))
          add(choice['index'], object(choice[isStream ? 'delta' : 'message'])['content']);
        break;
      case 'completions':
        for (const choice of objects(body['choices'])) add(choice['index'], choice['text']);
        break;
      case 'messages':
        add(0, object(body['delta'])['text']);
        for (const block of objects(body['content'])) add(0, block['text']);
        break;
      case 'responses':
        if (body['type'] === 'response.output_text.delta') add(0, body['delta']);
        for (const item of objects(body['output'])) for (const part of objects(item['content'])) add(0, part['text']);
        break;
      case 'gemini':
        for (const { index, content } of objects(body['candidates']))
          for (const part of objects(object(content)['parts'])) add(index, part['text']);
    }
  }
  return texts;
}

/** Ids of the response, of which there is one. */
function idsOf({ client, isStream }: ChaosQuestion, { text }: Received): Set<unknown> {
  const bodies = isStream ? dataOf(text) : [jsonOf(text)];
  const idOf = (body: JsonBody): unknown => {
    if (client.name === 'gemini') return body['responseId'];
    if (client.name === 'messages') return object(body['message'])['id'];
    if (client.name === 'responses') return object(body['response'])['id'];
    return body['id'];
  };
  return new Set(bodies.map(idOf).filter((id) => id !== undefined));
}

function dataOf(text: string): JsonBody[] {
  return eventsOf(text).flatMap(({ data }) => (data === '' || data === '[DONE]' ? [] : [jsonOf(data)]));
}

/** An empty object where it is no JSON, such as the last event of a client that left. */
function jsonOf(text: string): JsonBody {
  try {
    return object(JSON.parse(text));
  } catch {
    return {};
  }
}
