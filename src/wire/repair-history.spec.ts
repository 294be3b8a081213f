import fc from 'fast-check';
import type { CanonicalMessage } from '../operations/chat/canonical/blocks.js';
import { repairHistory } from './repair-history.js';

const call = (id: string, name = 'look'): CanonicalMessage['blocks'][number] => ({
  type: 'tool_call',
  id,
  name,
  kind: 'function',
  input: '{}',
});
const result = (callId: string, text = callId): CanonicalMessage['blocks'][number] => ({
  type: 'tool_result',
  callId,
  kind: 'function',
  content: [{ type: 'text', text }],
});
const text = (value: string): CanonicalMessage['blocks'][number] => ({ type: 'text', text: value });

describe('a history as every provider takes it', () => {
  it('is left alone where nothing is wrong', () => {
    const messages: CanonicalMessage[] = [
      { role: 'system', blocks: [text('rules')] },
      { role: 'user', blocks: [text('go')] },
      { role: 'assistant', blocks: [call('a'), call('b')] },
      { role: 'tool', blocks: [result('a'), result('b')] },
      { role: 'assistant', blocks: [text('done')] },
    ];
    expect(repairHistory(messages)).toEqual(messages);
  });

  it('puts results behind their calls, in their order, and adds those that are missing', () => {
    const repaired = repairHistory([
      { role: 'assistant', blocks: [call('a'), call('b'), call('c')] },
      { role: 'user', blocks: [text('and?')] },
      { role: 'tool', blocks: [result('c'), result('a')] },
    ]);
    expect(repaired.map(({ role }) => role)).toEqual(['assistant', 'tool', 'user']);
    expect(repaired[1]?.blocks.map((block) => block.type === 'tool_result' && [block.callId, block.isError])).toEqual([
      ['a', undefined],
      ['b', true],
      ['c', undefined],
    ]);
  });

  it('turns results without a call into text of the user', () => {
    const repaired = repairHistory([
      { role: 'tool', blocks: [result('gone', 'rain')] },
      { role: 'user', blocks: [text('so?')] },
    ]);
    expect(repaired[0]).toEqual({ role: 'user', blocks: [text('Result of an earlier tool call:'), text('rain')] });
  });

  it('gives repeated ids of calls new ones, with their results', () => {
    const turn: CanonicalMessage[] = [
      { role: 'assistant', blocks: [call('0')] },
      { role: 'tool', blocks: [result('0')] },
    ];
    const ids = repairHistory([...turn, ...turn]).flatMap(({ blocks }) =>
      blocks.flatMap((block) =>
        block.type === 'tool_call' ? block.id : block.type === 'tool_result' ? block.callId : [],
      ),
    );
    expect(ids).toEqual(['0', '0', '0_2', '0_2']);
  });

  it('holds for any history: each call has one result, right after its turn, and a repaired one is not changed again', () => {
    const id = fc.constantFrom('', 'a', 'b', 'c');
    const block = fc.oneof(
      id.map((one) => call(one)),
      fc.constant(text('x')),
    );
    const message: fc.Arbitrary<CanonicalMessage> = fc.oneof(
      fc.record({ role: fc.constant('assistant' as const), blocks: fc.array(block, { maxLength: 4 }) }),
      fc.record({
        role: fc.constantFrom('tool' as const, 'user' as const),
        blocks: fc.array(
          id.map((one) => result(one)),
          { minLength: 1, maxLength: 3 },
        ),
      }),
      fc.record({ role: fc.constant('user' as const), blocks: fc.constant([text('y')]) }),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
        const repaired = repairHistory(messages);
        const seen = new Set<string>();
        repaired.forEach(({ role, blocks }, index) => {
          const calls = blocks.flatMap((one) => (one.type === 'tool_call' ? [one.id] : []));
          for (const one of calls) {
            expect(seen.has(one)).toBe(false);
            seen.add(one);
          }
          if (calls.length > 0 && index < repaired.length - 1) {
            const next = repaired[index + 1];
            expect(next?.role).toBe('tool');
            expect(next?.blocks.map((one) => one.type === 'tool_result' && one.callId)).toEqual(calls);
          }
          if (role !== 'tool') expect(blocks.some(({ type }) => type === 'tool_result')).toBe(false);
        });
        expect(repairHistory(repaired)).toEqual(repaired);
      }),
    );
  });
});
