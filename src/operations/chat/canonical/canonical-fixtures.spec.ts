import fc from 'fast-check';
import {
  canonicalRequests,
  canonicalResults,
  PLAIN_SHAPE,
  usages,
} from '../../../../test/fixtures/canonical-arbitraries.js';
import { chunksOf, collect } from '../../../../test/fixtures/canonical-streams.js';

const SHAPE = {
  ...PLAIN_SHAPE,
  assistantBlocks: ['text', 'thinking', 'refusal'] as const,
  customTools: true,
  cache: true,
  sources: ['base64', 'url', 'file', 'text'] as const,
  userBlocks: ['text', 'image', 'file', 'audio'] as const,
};

describe('the arbitraries that the laws of the wire formats are tested with', () => {
  it('a stream of a response, collected, is the response', () => {
    const results = canonicalResults({ shape: SHAPE, finishes: ['stop', 'length'], choices: 3, usage: usages });
    const streams = results.chain((result) => fc.tuple(fc.constant(result), chunksOf(result)));
    fc.assert(fc.property(streams, ([result, chunks]) => expect(collect(chunks)).toEqual(result)));
  });

  it('each call of a conversation has one result, in the message after it', () => {
    fc.assert(
      fc.property(canonicalRequests(SHAPE), ({ messages }) => {
        messages.forEach(({ role, blocks }, index) => {
          if (role !== 'tool') return;
          const calls = messages[index - 1]?.blocks.flatMap((block) => (block.type === 'tool_call' ? [block.id] : []));
          expect(blocks.map((block) => (block.type === 'tool_result' ? block.callId : ''))).toEqual(calls);
        });
        expect(messages.at(-1)?.role).toBe('user');
      }),
    );
  });
});
