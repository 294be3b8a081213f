import { invalidRequest } from '../errors/gateway-error.js';
import { type CallHook, type HookedCall, type ShortCircuit } from '../calls/call-hook.js';
import type { CallOutcome } from '../calls/call-outcome.js';
import type { ChatCompletion } from '../operations/chat/chat-completion.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import type { ChunkOf, OperationName } from '../operations/operation-types.js';
import { toChunks, type StreamedChunk } from '../operations/chat/preserialized-chunk.js';

import { BUG, chunk, EngineBench, REQUEST } from '../../test/fixtures/engine-bench.js';

describe('hooks', () => {
  const refusal = invalidRequest('not this prompt', 'messages');

  /** Both ways to make a call, read to the end. */
  const WAYS: readonly (readonly [string, (bench: EngineBench) => Promise<string>])[] = [
    [
      'a plain call',
      async (bench) => JSON.stringify((await bench.engine.run(CHAT, REQUEST, bench.context)).result.choices),
    ],
    [
      'a stream',
      async (bench) => {
        const { chunks } = await bench.engine.stream(CHAT, REQUEST, bench.context);
        let text = '';
        for await (const group of chunks)
          for (const one of toChunks(group)) text += one.choices[0]?.delta.content ?? '';
        return text;
      },
    ],
  ];

  function hook(fields: Partial<CallHook>): CallHook {
    return { name: 'test', order: 1, ...fields };
  }

  it.each(WAYS)('fail %s in before, with nothing sent and nothing reserved', async (_name, make) => {
    const bench = new EngineBench();
    bench.hooks.add(hook({ before: () => Promise.reject(refusal) }));
    await expect(make(bench)).rejects.toBe(refusal);
    expect([bench.calls, bench.outcomes.map(({ error }) => error)]).toEqual([[], [refusal]]);
    bench.expectNothingTaken();
  });

  it.each(WAYS)('answer %s in place of a provider, the first in order', async (_name, make) => {
    const bench = new EngineBench();
    const response = (text: string): ShortCircuit<'chat'> => ({
      source: 'cache',
      result: { choices: [{ index: 0, message: { content: text } }] } as unknown as ChatCompletion,
      chunks: groups([chunk(text)]),
    });
    const seen: string[] = [];
    const respondingHook = (text: string | undefined, order: number): CallHook => ({
      name: 'cache',
      order,
      before: <Name extends OperationName>(call: HookedCall<Name>) => {
        seen.push(`${call.request.model} ${order}`);
        return (text === undefined ? undefined : response(text)) as ShortCircuit<Name> | undefined;
      },
    });
    for (const each of [respondingHook('late', 3), respondingHook('early', 2), respondingHook(undefined, 1)])
      bench.hooks.add(each);
    expect(await make(bench)).toContain('early');
    expect([seen, bench.calls, bench.reserved]).toEqual([['m 1', 'm 2'], [], 0]);
    expect(bench.outcomes).toMatchObject([{ status: 'succeeded', attempts: [] }]);
    bench.expectNothingTaken();
  });

  it('replace chunks and leave groups out, each in its turn', async () => {
    const bench = new EngineBench();
    const change = (order: number, from: RegExp, to: string): CallHook => ({
      name: 'change',
      order,
      chunks: <Name extends OperationName>(_call: HookedCall<Name>, group: readonly ChunkOf<Name>[]) =>
        group
          .map((one) => chunk(textOf(one as StreamedChunk).replace(from, to)) as ChunkOf<Name>)
          .filter((one) => textOf(one as StreamedChunk) !== ''),
    });
    bench.hooks.add(change(2, /^term 2 $/, ''));
    bench.hooks.add(change(1, /word/, 'term'));
    expect(await WAYS[1]![1](bench)).toBe('term 1 term 3 ');
    bench.expectNothingTaken();
  });

  it('break a stream that they cannot pass, and free all of it', async () => {
    const bench = new EngineBench();
    bench.hooks.add(hook({ chunks: () => Promise.reject(BUG) }));
    await expect(WAYS[1]![1](bench)).rejects.toBe(BUG);
    expect(bench.outcomes).toMatchObject([{ status: 'failed' }]);
    bench.expectNothingTaken();
  });

  it.each([
    [
      'throws',
      () => {
        throw BUG;
      },
    ],
    ['rejects', () => Promise.reject(BUG)],
  ])('change nothing for the client when after %s, and others still run', async (_name, after) => {
    for (const [, make] of WAYS) {
      const bench = new EngineBench();
      const ended: CallOutcome[] = [];
      bench.hooks.add(hook({ order: 1, after }));
      bench.hooks.add(hook({ order: 2, after: (outcome) => void ended.push(outcome) }));
      await make(bench);
      expect(ended).toEqual(bench.outcomes);
      bench.expectNothingTaken();
    }
  });

  it('get as much of the response as the one that asks for most', async () => {
    for (const [details, kept] of [
      [['nothing', 'outline'], ''],
      [['outline', 'content', 'nothing'], 'word 1 word 2 word 3 '],
    ] as const) {
      const bench = new EngineBench();
      for (const detail of details) bench.hooks.add(hook({ detail: () => detail }));
      await WAYS[1]![1](bench);
      expect(bench.outcomes[0]?.collector.recorded?.content['choices']).toMatchObject([{ content: kept }]);
    }
  });
});

function textOf(one: StreamedChunk): string {
  return toChunks([one])[0]?.choices[0]?.delta.content ?? '';
}

async function* groups(group: readonly StreamedChunk[]): AsyncGenerator<readonly StreamedChunk[]> {
  await Promise.resolve();
  yield group;
}
