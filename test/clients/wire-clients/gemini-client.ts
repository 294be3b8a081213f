import { object, objects, text, type JsonBody } from '../../upstreams/native-formats/wire-format.js';
import {
  count,
  demand,
  eventsOf,
  TOOL_NAMES,
  TOOL_PARAMETERS,
  type Finish,
  type Outcome,
  type WireClient,
} from './wire-client.js';

const FILTERED = ['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'IMAGE_SAFETY', 'LANGUAGE'];

function usageOf(value: unknown): Pick<Outcome, 'usage'> {
  if (typeof value !== 'object' || value === null) return {};
  const usage = object(value);
  return {
    usage: {
      prompt: count(usage['promptTokenCount']) + count(usage['toolUsePromptTokenCount']),
      completion: count(usage['candidatesTokenCount']) + count(usage['thoughtsTokenCount']),
      cached: count(usage['cachedContentTokenCount']),
    },
  };
}

function finishOf(reason: unknown, hasCalls: boolean): Finish {
  if (FILTERED.includes(text(reason))) return 'content_filter';
  if (reason === 'MAX_TOKENS') return 'length';
  demand(reason === 'STOP' || reason === 'OTHER', 'finishReason', reason);
  return hasCalls ? 'tool_calls' : 'stop';
}

function readBodies(bodies: readonly JsonBody[]): Outcome {
  const candidates = bodies.flatMap((body) => objects(body['candidates']).filter(({ index = 0 }) => index === 0));
  const parts = candidates.flatMap((candidate) => objects(object(candidate['content'])['parts']));
  const calls = parts.flatMap((part) => {
    const { name, args } = object(part['functionCall']);
    return name === undefined ? [] : [{ name: text(name), input: JSON.stringify(args ?? {}) }];
  });
  const reason = candidates.map(({ finishReason }) => finishReason).findLast((each) => each !== undefined);
  const isBlocked = bodies.some(({ promptFeedback }) => object(promptFeedback)['blockReason'] !== undefined);
  const said = (isThought: boolean): string =>
    parts.map((part) => ((part['thought'] === true) === isThought ? text(part['text']) : '')).join('');
  const error = bodies.find((body) => body['error'] !== undefined);
  const finish =
    reason === undefined ? (isBlocked ? ('content_filter' as const) : undefined) : finishOf(reason, calls.length > 0);
  const last = bodies.findLast(({ usageMetadata }) => usageMetadata !== undefined);
  return {
    isWhole: finish !== undefined && error === undefined,
    text: said(false),
    thinking: said(true),
    calls,
    ...(finish !== undefined && { finish }),
    ...usageOf(last?.['usageMetadata']),
    ...(error !== undefined && { error }),
  };
}

/** Gemini's generateContent. */
export const GEMINI_CLIENT: WireClient = {
  name: 'gemini',
  native: ['gemini'],

  ask: ({ model, prompt, isStream, hasTools = false }) => ({
    path: `/v1beta/models/${model}:${isStream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: {
      contents: [{ role: 'user', parts: [{ text: prompt }] }],
      generationConfig: { maxOutputTokens: 1_000 },
      ...(hasTools && {
        tools: [{ functionDeclarations: TOOL_NAMES.map((name) => ({ name, parametersJsonSchema: TOOL_PARAMETERS })) }],
      }),
    },
  }),

  readWhole: (body) => readBodies([body]),

  readStream(stream, isStrict) {
    const bodies: JsonBody[] = [];
    for (const { event, data } of eventsOf(stream)) {
      if (isStrict) demand(event === '', 'a named event', event);
      if (isStrict) demand(!bodies.some((body) => body['error'] !== undefined), 'an event behind the error', data);
      bodies.push(JSON.parse(data) as JsonBody);
    }
    if (isStrict) {
      const reasons = bodies.flatMap((body) =>
        objects(body['candidates']).filter(({ finishReason }) => finishReason !== undefined),
      );
      const ends = bodies.at(-1);
      if (ends?.['error'] === undefined) {
        demand(reasons.length > 0, 'a stream without finishReason', ends);
        demand(
          objects(ends?.['candidates']).some(({ finishReason }) => finishReason !== undefined),
          'finishReason is not last',
        );
      } else demand(reasons.length === 0, 'a finishReason before the error');
    }
    return readBodies(bodies);
  },
};
