import fc from 'fast-check';
import { fitCallIds } from './fit-call-ids.js';

describe('ids of tool calls of a fixed length', () => {
  it('fit, stay together with their results, and stay apart from others', () => {
    const id = fc.oneof(fc.string({ maxLength: 60 }), fc.stringMatching(/^[a-zA-Z0-9]{9}$/));
    fc.assert(
      fc.property(fc.uniqueArray(id, { minLength: 1, maxLength: 8 }), (ids) => {
        const turn = fitCallIds(
          { role: 'assistant', tool_calls: ids.map((each) => ({ id: each, type: 'function' })) },
          9,
        );
        const called = (turn['tool_calls'] as { id: string }[]).map((call) => call.id);
        const returned = ids.map((each) => fitCallIds({ role: 'tool', tool_call_id: each }, 9)['tool_call_id']);
        expect(returned).toEqual(called);
        expect(new Set(called).size).toBe(ids.length);
        for (const each of called) expect(each).toMatch(/^[a-zA-Z0-9]{9}$/);
      }),
    );
  });

  it('leave messages alone that fit, or that have none', () => {
    for (const message of [
      { role: 'user', content: 'hi' },
      { role: 'tool', tool_call_id: 'abcDEF123' },
      { role: 'assistant', tool_calls: [{ id: 'abcDEF123' }] },
    ]) {
      expect(fitCallIds(message, 9)).toBe(message);
    }
  });
});
