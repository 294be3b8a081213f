import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { GatewayError } from '../../errors/gateway-error.js';
import { assertMessages, MAX_KEYS, MAX_MESSAGES } from './chat-messages.js';

function faultOf(messages: unknown): { param: string | null; code: string | null; message: string } {
  try {
    assertMessages(messages);
  } catch (error) {
    if (error instanceof GatewayError) return { param: error.param, code: error.code, message: error.message };
    throw error;
  }
  throw new Error('no fault was found');
}

describe('assertMessages', () => {
  it.each([
    [[{ role: 'user', content: 'hi' }]],
    [[{ role: 'developer', content: 'be brief' }]],
    [[{ role: 'user', content: [{ type: 'text', text: 'hi' }] }]],
    [[{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }]],
    [[{ role: 'assistant', content: null, tool_calls: [{ id: 'a', type: 'function', function: {} }] }]],
    [[{ role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: {} }] }]],
    [[{ role: 'tool', content: '21', tool_call_id: 'a' }]],
    [[{ role: 'function', content: '21', name: 'f' }]],
    [[{ role: 'user', content: '', cache_control: { type: 'ephemeral' } }]],
    [[{ role: 'assistant', content: null }]],
    [[{ role: 'assistant' }]],
    [[{ role: 'assistant', content: null, tool_calls: [] }]],
    [[{ role: 'assistant', content: null, reasoning_content: 'Hm.', refusal: null }]],
    [[{ role: 'assistant', content: '', audio: { id: 'audio_1' }, annotations: [] }]],
    [[{ role: 'assistant', content: [] }]],
    [[{ role: 'user', content: [] }]],
    [[{ role: 'user', content: [{ type: 'image_url', image_url: 'https://example.com/a.png' }] }]],
    [[{ role: 'user', content: [{ type: 'video_url', video_url: { url: 'https://example.com/a.mp4' } }] }]],
    [[{ role: 'user', content: [{ type: 'toString' }] }]],
    [[{ role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm.' }] }]],
    [[{ role: 'ipython', content: 'hi' }]],
    [[{ role: 'ipython' }]],
  ])('takes %j', (messages) => {
    expect(() => {
      assertMessages(messages);
    }).not.toThrow();
  });

  it.each([
    [undefined, 'messages', 'missing_required_parameter'],
    [null, 'messages', 'missing_required_parameter'],
    ['hi', 'messages', 'invalid_type'],
    [[], 'messages', 'empty_array'],
    [['hi'], 'messages[0]', 'invalid_type'],
    [[null], 'messages[0]', 'invalid_type'],
    [[[]], 'messages[0]', 'invalid_type'],
    [[{ content: 'hi' }], 'messages[0].role', 'missing_required_parameter'],
    [[{ role: 7, content: 'hi' }], 'messages[0].role', 'invalid_type'],
    [[{ role: '', content: 'hi' }], 'messages[0].role', 'invalid_value'],
    [[{ role: 'r'.repeat(65), content: 'hi' }], 'messages[0].role', 'invalid_value'],
    [[{ role: 'user', content: [{ type: '' }] }], 'messages[0].content[0].type', 'invalid_value'],
    [
      [{ role: 'user', content: [{ type: 'image_url', image_url: 7 }] }],
      'messages[0].content[0].image_url',
      'invalid_type',
    ],
    [[{ role: 'user', content: [{ type: 'file', file: 'a.pdf' }] }], 'messages[0].content[0].file', 'invalid_type'],
    [[{ role: 'user' }], 'messages[0].content', 'missing_required_parameter'],
    [[{ role: 'user', content: null }], 'messages[0].content', 'missing_required_parameter'],
    [[{ role: 'user', content: 7 }], 'messages[0].content', 'invalid_type'],
    [[{ role: 'user', content: ['hi'] }], 'messages[0].content[0]', 'invalid_type'],
    [[{ role: 'user', content: [{ text: 'hi' }] }], 'messages[0].content[0].type', 'missing_required_parameter'],
    [[{ role: 'user', content: [{ type: 'text' }] }], 'messages[0].content[0].text', 'missing_required_parameter'],
    [[{ role: 'user', content: [{ type: 'text', text: 7 }] }], 'messages[0].content[0].text', 'invalid_type'],
    [[{ role: 'tool', content: '21' }], 'messages[0].tool_call_id', 'missing_required_parameter'],
    [[{ role: 'tool', content: '21', tool_call_id: null }], 'messages[0].tool_call_id', 'missing_required_parameter'],
    [[{ role: 'tool', content: '21', tool_call_id: 7 }], 'messages[0].tool_call_id', 'invalid_type'],
    [[{ role: 'user', content: 'hi', tool_call_id: [] }], 'messages[0].tool_call_id', 'invalid_type'],
    [[{ role: 'user', content: 'hi', name: {} }], 'messages[0].name', 'invalid_type'],
    [[{ role: 'function', content: '21', name: 7 }], 'messages[0].name', 'invalid_type'],
    [[{ role: 'user', content: 'hi', tool_calls: ['a'] }], 'messages[0].tool_calls[0]', 'invalid_type'],
    [[{ role: 'assistant', content: 'a', tool_calls: {} }], 'messages[0].tool_calls', 'invalid_type'],
    [
      [
        { role: 'user', content: 'a' },
        { role: 'user', content: 7 },
      ],
      'messages[1].content',
      'invalid_type',
    ],
  ])('refuses %j at %s as %s', (messages, param, code) => {
    const fault = faultOf(messages);
    expect(fault).toMatchObject({ param, code });
    expect(fault.message).toContain(`'${param}'`);
  });

  it('refuses more messages than the bound, and objects of more keys than the bound', () => {
    const message = { role: 'user', content: 'hi' };
    expect(faultOf(Array.from({ length: MAX_MESSAGES + 1 }, () => message)).code).toBe('array_above_max_length');
    const wide = Object.fromEntries(Array.from({ length: MAX_KEYS }, (_, index) => [`k${index}`, index]));
    expect(faultOf([{ ...message, ...wide }])).toMatchObject({ param: 'messages[0]', code: 'object_above_max_keys' });
  });

  it('throws nothing but a GatewayError for any input', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          assertMessages(value);
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
        }
      }),
    );
  });

  it('refuses in every role what the document refuses in a field, and only the rules of roles beyond it', () => {
    const ajv = new Ajv2020({ strict: false, validateSchema: false });
    const file = new URL('../../../openapi.json', import.meta.url);
    const { components } = JSON.parse(readFileSync(file, 'utf8')) as {
      components: { schemas: { ChatMessage: { properties: Record<string, object> } } };
    };
    const isDescribed = ajv.compile(components.schemas.ChatMessage);
    const fields = Object.keys(components.schemas.ChatMessage.properties).filter((name) => name !== 'role');
    expect(fields).toEqual(expect.arrayContaining(['content', 'name', 'tool_calls', 'tool_call_id']));
    const value = fc.oneof(
      fc.constantFrom<unknown>(null, 'hi', '', 7, true, {}, [], [{}], ['a'], [[]], [null], [{ type: 'custom' }]),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const role = fc.oneof(
      fc.constantFrom('developer', 'system', 'user', 'assistant', 'tool', 'function', 'ipython'),
      fc.jsonValue({ maxDepth: 1 }),
    );
    const usual = { content: 'hi', name: 'ada', tool_calls: [{ id: 'a', type: 'function' }], tool_call_id: 'a' };
    const outcomes = { taken: 0, refused: 0, byRole: 0 };
    fc.assert(
      fc.property(role, fc.constantFrom(...fields), value, (ofRole, field, given) => {
        const message = { role: ofRole, ...usual, [field]: given };
        let fault: string | null | undefined;
        try {
          assertMessages([message]);
        } catch (error) {
          fault = (error as GatewayError).param;
        }
        if (!isDescribed(message)) {
          expect(fault).toMatch(/^messages\[0\]/);
          outcomes.refused += 1;
        } else if (fault === undefined) {
          outcomes.taken += 1;
        } else {
          // A role that needs the field, or a part of a type that needs its own.
          expect(given === null || field === 'content').toBe(true);
          expect(fault).toContain(`messages[0].${field}`);
          outcomes.byRole += 1;
        }
      }),
      { numRuns: 5_000 },
    );
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(0);
  });
});
