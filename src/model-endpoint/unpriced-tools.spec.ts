import { CHAT } from '../operations/chat/chat-operation.js';
import { SOURCE } from '../operations/chat/canonical/sources.js';
import type { JsonObject } from '../runtime/json-value.js';
import { ANTHROPIC } from '../wire/anthropic/anthropic-wire.js';
import { GEMINI } from '../wire/gemini/gemini-wire.js';
import { OPENAI_RESPONSES } from '../wire/openai-responses/openai-responses-wire.js';
import { chatRequestOf } from './chat-request-of.js';

const SCHEMA = { type: 'object', properties: {} };
const ANTHROPIC_BODY = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] };
const RESPONSES_BODY = { model: 'm', input: 'Hi' };
const GEMINI_BODY = { model: 'm', contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] };
const OWN = { name: 'f', input_schema: SCHEMA };
const FUNCTION = { type: 'function', name: 'f', parameters: SCHEMA };
const DECLARED = { functionDeclarations: [{ name: 'f' }] };

describe('tools that a provider runs, for a key with a budget', () => {
  it.each([
    [
      ANTHROPIC,
      { ...ANTHROPIC_BODY, tools: [{ type: 'web_search_20250305', name: 'web_search' }, OWN] },
      [OWN],
      ['tools[0].web_search_20250305'],
    ],
    [
      OPENAI_RESPONSES,
      { ...RESPONSES_BODY, tools: [FUNCTION, { type: 'web_search' }, { type: 'image_generation' }] },
      [FUNCTION],
      ['tools[1].web_search', 'tools[2].image_generation'],
    ],
    [
      GEMINI,
      { ...GEMINI_BODY, tools: [{ ...DECLARED, google_search: {} }, { codeExecution: {} }] },
      [DECLARED],
      ['tools[0].googleSearch', 'tools[1].codeExecution'],
    ],
    [
      OPENAI_RESPONSES,
      { ...RESPONSES_BODY, tools: [{ type: 'web_search' }], tool_choice: 'none' },
      [],
      ['tools[0].web_search'],
    ],
    [OPENAI_RESPONSES, { ...RESPONSES_BODY, tools: [FUNCTION] }, [FUNCTION], []],
  ])('are left out and named, in each format (%#)', (wire, body: JsonObject, tools, dropped) => {
    const reduced = CHAT.withoutUnpriced(chatRequestOf(wire, body));
    expect(reduced.dropped).toEqual(dropped);
    expect(reduced.request[SOURCE]?.body).toEqual({ ...body, tools });
    expect(reduced.request[SOURCE]?.canonical.tools?.some(({ type }) => type === 'hosted') ?? false).toBe(false);
  });

  it.each([
    [ANTHROPIC, { ...ANTHROPIC_BODY, tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools[0].type'],
    [
      ANTHROPIC,
      {
        ...ANTHROPIC_BODY,
        tools: [OWN, { type: 'web_search_20250305', name: 'web_search' }],
        tool_choice: { type: 'tool', name: 'web_search' },
      },
      'tools[1].type',
    ],
    [
      OPENAI_RESPONSES,
      { ...RESPONSES_BODY, tools: [{ type: 'web_search' }, FUNCTION], tool_choice: { type: 'web_search' } },
      'tools[0].type',
    ],
    [GEMINI, { ...GEMINI_BODY, tools: [{ googleSearch: {} }] }, 'tools[0].type'],
  ])('are refused where the request is made for them (%#)', (wire, body: JsonObject, param) => {
    let error: unknown;
    try {
      CHAT.withoutUnpriced(chatRequestOf(wire, body));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ status: 403, code: 'insufficient_scope', param });
  });
});
