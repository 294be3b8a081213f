import { GatewayError } from '../errors/gateway-error.js';
import { parseExact, printExact } from '../runtime/exact-integers.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { parseChatRequest } from '../chat/chat-request.pipe.js';
import type { StreamedChunk } from '../operations/chat/preserialized-chunk.js';
import { ANTHROPIC } from './anthropic/anthropic-wire.js';
import { parseWithExactArguments } from './exact-arguments.js';
import { GEMINI } from './gemini/gemini-wire.js';
import { parseCompletion } from './openai-chat/parse-completion.js';
import { readRequest } from './openai-chat/read-request.js';
import { readResult } from './openai-chat/read-result.js';
import { StreamNormaliser } from './openai-chat/stream-normaliser.js';
import { ChunkReader } from './openai-chat/chunk-reader.js';
import { OPENAI_COMPLETIONS } from './openai-completions/openai-completions-wire.js';
import { OPENAI_RESPONSES } from './openai-responses/openai-responses-wire.js';
import type { ReadContext } from './wire-format.js';

const LONG = '12345678901234567891';
const CONTEXT: ReadContext = { upstreamModel: 'm', redact: (text) => text, now: 0 };
const CALL = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
const USAGE = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };

/** Copies of the JSON text of a value, each with a long integer in place of one of its leaves. */
function* withLongLeaf(value: unknown): Generator<string> {
  const leaves: (readonly (string | number)[])[] = [];
  const visit = (at: unknown, path: readonly (string | number)[]): void => {
    if (Array.isArray(at)) at.forEach((item, index) => visit(item, [...path, index]));
    else if (isObject(at)) for (const [name, item] of Object.entries(at)) visit(item, [...path, name]);
    else leaves.push(path);
  };
  visit(value, []);
  for (const path of leaves) {
    const copy = structuredClone({ value });
    let holder = copy as Record<string | number, unknown>;
    const whole = ['value', ...path];
    for (const step of whole.slice(0, -1)) holder = holder[step] as Record<string | number, unknown>;
    holder[whole.at(-1) ?? ''] = '<long>';
    yield JSON.stringify(copy.value).replaceAll('"<long>"', LONG);
  }
}

/** Texts in what a reader made, with those that a later `JSON.stringify` would make. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isObject(value) ? Object.values(value).flatMap(textsIn) : [];
}

function assertNoMarkedText(read: () => unknown, json: string): void {
  let value: unknown;
  try {
    value = read();
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).message).not.toContain('\ue000');
    return;
  }
  const marked = textsIn(value).filter((text) => text.includes('\ue000'));
  expect({ json, marked }).toEqual({ json, marked: [] });
}

const COMPLETION = {
  id: 'x',
  model: 'm',
  created: 1,
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'Hi', refusal: 'No', reasoning_content: 'Hm', tool_calls: [CALL] },
      finish_reason: 'tool_calls',
    },
  ],
  usage: USAGE,
};
const DELTA = { role: 'assistant', content: 'Hi', refusal: 'x', reasoning: 'Hm', tool_calls: [{ index: 0, ...CALL }] };
const CHUNK = { id: 'x', model: 'm', choices: [{ index: 0, delta: DELTA, finish_reason: 'stop' }], usage: USAGE };

describe('a long integer where a text belongs is no text', () => {
  it('in a completion of a server of OpenAI’s format', () => {
    for (const json of withLongLeaf(COMPLETION)) {
      assertNoMarkedText(() => readResult(parseCompletion(json, CONTEXT)), json);
    }
    const numeric = JSON.stringify(COMPLETION).replace('"Hi"', LONG).replace('"No"', LONG);
    const [choice] = parseCompletion(numeric, CONTEXT).choices;
    expect([choice?.message.content, choice?.message.refusal]).toEqual([null, null]);
  });

  it('in a stream of such a server', () => {
    for (const json of withLongLeaf(CHUNK)) {
      assertNoMarkedText(() => {
        const normaliser = new StreamNormaliser({ ...CONTEXT, expectedChoices: 1 });
        const out: StreamedChunk[] = [];
        normaliser.push({ event: '', data: json }, out);
        normaliser.end(out);
        const reader = new ChunkReader();
        const read: Parameters<ChunkReader['read']>[1] = [];
        for (const chunk of out) reader.read(chunk as Parameters<ChunkReader['read']>[0], read);
        return read;
      }, json);
    }
  });

  it('keeps its digits where it is a value of its own, or the arguments of a call', () => {
    const json = JSON.stringify(COMPLETION).replace(JSON.stringify(CALL.function.arguments), `{"id":${LONG}}`);
    const completion = parseCompletion(json.replace('"created":1', `"created":1,"unknown":${LONG}`), CONTEXT);
    expect(printExact(completion)).toContain(`"unknown":${LONG}`);
    expect(completion.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { arguments: `{"id":${LONG}}` } });
    const bare = JSON.stringify(COMPLETION).replace(JSON.stringify(CALL.function.arguments), LONG);
    expect(parseCompletion(bare, CONTEXT).choices[0]?.message.tool_calls?.[0]).toMatchObject({
      function: { arguments: LONG },
    });
  });

  it.each([
    [
      'anthropic',
      ANTHROPIC,
      {
        id: 'm',
        type: 'message',
        role: 'assistant',
        model: 'c',
        content: [
          { type: 'thinking', thinking: 'Hm', signature: 's' },
          { type: 'text', text: 'Hi' },
          { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } },
        ],
        stop_reason: 'tool_use',
        usage: { input_tokens: 1, output_tokens: 1 },
      },
    ],
    [
      'gemini',
      GEMINI,
      {
        candidates: [
          {
            content: { role: 'model', parts: [{ text: 'Hi' }, { functionCall: { name: 'f', args: { a: 1 } } }] },
            finishReason: 'STOP',
          },
        ],
        modelVersion: 'g',
        responseId: 'r',
        usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
      },
    ],
  ] as const)('in a response of %s', (_name, wire, response) => {
    for (const json of withLongLeaf(response)) {
      assertNoMarkedText(() => wire.readResponse(parseWithExactArguments(json), CONTEXT), json);
    }
  });

  const readers: readonly [string, (body: JsonObject) => unknown, JsonObject][] = [
    [
      'chat',
      (body) => readRequest(parseChatRequest(body)),
      {
        model: 'm',
        messages: [
          { role: 'system', content: 'S' },
          { role: 'user', name: 'n', content: [{ type: 'text', text: 'Hi' }] },
          { role: 'assistant', content: 'A', tool_calls: [CALL] },
          { role: 'tool', tool_call_id: 'c', content: 'R' },
        ],
        tools: [{ type: 'function', function: { name: 'f', description: 'D', parameters: { type: 'object' } } }],
        metadata: { a: 'b' },
        user: 'u',
        stop: ['x'],
        n: 1,
      },
    ],
    [
      'messages',
      (body) => ANTHROPIC.readRequest(body),
      {
        model: 'm',
        max_tokens: 5,
        system: [{ type: 'text', text: 'S' }],
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }] },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'R' }] },
        ],
        tools: [{ name: 'f', description: 'D', input_schema: { type: 'object' } }],
        metadata: { user_id: 'u' },
      },
    ],
    [
      'responses',
      (body) => OPENAI_RESPONSES.readRequest(body),
      {
        model: 'm',
        instructions: 'S',
        input: [
          { role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
          { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
          { type: 'function_call_output', call_id: 'c', output: 'R' },
        ],
        tools: [{ type: 'function', name: 'f', description: 'D', parameters: { type: 'object' } }],
        user: 'u',
        prompt_cache_key: 'k',
      },
    ],
    [
      'gemini',
      (body) => GEMINI.readRequest(body),
      {
        model: 'm',
        systemInstruction: { parts: [{ text: 'S' }] },
        contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
        tools: [{ functionDeclarations: [{ name: 'f', description: 'D' }] }],
      },
    ],
    ['completions', (body) => OPENAI_COMPLETIONS.readRequest(body), { model: 'm', prompt: 'Hi', stop: 'x', user: 'u' }],
  ];
  it.each(readers)('in a request of %s', (_name, read, body) => {
    for (const json of withLongLeaf(body)) assertNoMarkedText(() => read(parseExact(json) as JsonObject), json);
  });
});
