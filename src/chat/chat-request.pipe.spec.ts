import 'reflect-metadata';
import { GatewayError } from '../errors/gateway-error.js';
import { parseChatRequest } from './chat-request.pipe.js';

const valid = { model: 'sandbox/echo', messages: [{ role: 'user', content: 'hi' }] };

function faultOf(body: unknown): Pick<GatewayError, 'status' | 'param' | 'code' | 'message'> {
  try {
    parseChatRequest(body);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('no fault was found');
}

describe('parseChatRequest', () => {
  it('returns the very object that was parsed, unknown fields included', () => {
    const body = { ...valid, top_k: 40, logit_bias: { 50256: -100 }, chat_template_kwargs: { deep: { er: [1] } } };
    const before = structuredClone(body);
    expect(parseChatRequest(body)).toBe(body);
    expect(body).toEqual(before);
  });

  it('takes an explicit null for every optional field', () => {
    const body = {
      ...valid,
      max_tokens: null,
      max_completion_tokens: null,
      temperature: null,
      top_p: null,
      n: null,
      stream: null,
      stream_options: null,
      stop: null,
      metadata: null,
      tools: null,
      tool_choice: null,
      parallel_tool_calls: null,
      response_format: null,
      user: null,
    };
    expect(parseChatRequest(body)).toBe(body);
  });

  it.each([
    [{ max_tokens: 0 }],
    [{ temperature: 2 }],
    [{ top_p: 0 }],
    [{ n: 128 }],
    [{ stop: 'a' }],
    [{ stop: ['a', 'b', 'c', 'd'] }],
    [{ stop: [] }],
    [{ stop: ['a', 'b', 'c', 'd', 'e', 'f'] }],
    [{ max_tokens: -1 }],
    [{ tools: [{ google_search: {} }], tool_choice: { mode: 'auto' } }],
    [{ stream: true, stream_options: { include_usage: true, later: 1 } }],
    [{ metadata: { nested: { is: ['fine'] } } }],
    [{ tool_choice: { type: 'function', function: { name: 'f' } } }],
  ])('takes %j', (fields) => {
    expect(() => parseChatRequest({ ...valid, ...fields })).not.toThrow();
  });

  it.each([['max_tokens'], ['max_completion_tokens']])('takes -1 in %s for no limit', (name) => {
    expect(parseChatRequest({ ...valid, [name]: -1 })).toEqual({ ...valid, [name]: null });
  });

  it.each([
    [{ model: undefined }, 'model', 'missing_required_parameter'],
    [{ model: null }, 'model', 'missing_required_parameter'],
    [{ model: 7 }, 'model', 'invalid_type'],
    [{ model: '' }, 'model', 'invalid_value'],
    [{ messages: undefined }, 'messages', 'missing_required_parameter'],
    [{ max_tokens: -2 }, 'max_tokens', 'invalid_value'],
    [{ max_tokens: 1.5 }, 'max_tokens', 'invalid_type'],
    [{ max_tokens: '5' }, 'max_tokens', 'invalid_type'],
    [{ temperature: 2.1 }, 'temperature', 'invalid_value'],
    [{ temperature: 'hot' }, 'temperature', 'invalid_type'],
    [{ top_p: 1.1 }, 'top_p', 'invalid_value'],
    [{ n: 0 }, 'n', 'invalid_value'],
    [{ n: 129 }, 'n', 'invalid_value'],
    [{ stream: 'yes' }, 'stream', 'invalid_type'],
    [{ stream_options: 'usage' }, 'stream_options', 'invalid_type'],
    [{ stream_options: [] }, 'stream_options', 'invalid_type'],
    [{ stream_options: { include_usage: 1 } }, 'stream_options.include_usage', 'invalid_type'],
    [{ stop: ['a', 7] }, 'stop', 'invalid_value'],
    [{ stop: Array.from({ length: 257 }, String) }, 'stop', 'invalid_value'],
    [{ stop: 5 }, 'stop', 'invalid_value'],
    [{ metadata: 'x' }, 'metadata', 'invalid_type'],
    [{ metadata: { note: 'x'.repeat(17_000) } }, 'metadata', 'invalid_value'],
    [{ tools: {} }, 'tools', 'invalid_type'],
    [{ tools: ['f'] }, 'tools', 'invalid_value'],
    [{ tool_choice: 7 }, 'tool_choice', 'invalid_value'],
    [{ parallel_tool_calls: 'no' }, 'parallel_tool_calls', 'invalid_type'],
    [{ response_format: {} }, 'response_format', 'invalid_value'],
    [{ user: 7 }, 'user', 'invalid_type'],
  ])('refuses %j at %s as %s', (fields, param, code) => {
    const fault = faultOf({ ...valid, ...fields });
    expect(fault).toMatchObject({ status: 400, param, code });
    expect(fault.message).toContain(`'${param}'`);
  });

  it.each([[undefined], [null], ['text'], [7], [[valid]]])('refuses a body that is %j', (body) => {
    expect(faultOf(body)).toMatchObject({ status: 400, param: null, code: 'invalid_type' });
  });

  it('is not fooled by a key that would change a prototype', () => {
    const body: unknown = JSON.parse('{"__proto__":{"model":"x","messages":[]},"messages":[]}');
    expect(faultOf(body)).toMatchObject({ param: 'model', code: 'missing_required_parameter' });
  });
});
