import { CallEvents } from '../calls/call-events.js';
import { CallHooks } from '../calls/call-hook.js';
import type { CallOutcome } from '../calls/call-outcome.js';
import { upstreamError } from '../errors/gateway-error.js';
import { billedTokens } from '../operations/billed-tokens.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import type { ChatCompletionChunk } from '../operations/chat/chat-completion.js';
import type { Deployment } from '../routing/resolved-model.js';
import type { RoutingTable } from '../routing/routing-table.js';
import { EngineBench, REQUEST } from '../../test/fixtures/engine-bench.js';
import { boundTokens } from '../runtime/token-count.js';
import { HookRunner } from './hook-runner.js';
import { TrackedCall } from './tracked-call.js';

const DEPLOYMENT = { id: 'p/one', provider: { name: 'p' }, upstreamModel: 'one' } as unknown as Deployment;
const BROKEN = upstreamError({ message: 'cut' });

function usageChunk(prompt: number, completion: number): ChatCompletionChunk {
  const usage = { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  return { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage };
}

/** A call whose first stream breaks behind a report of usage. @returns its outcome */
function outcomeOf(then: (call: TrackedCall<'chat'>) => void): CallOutcome {
  const outcomes: CallOutcome[] = [];
  const events = new CallEvents();
  events.onEnded((outcome) => outcomes.push(outcome));
  const table = { hold: () => undefined, release: () => undefined } as unknown as RoutingTable;
  const call = new TrackedCall(
    CHAT,
    REQUEST,
    new EngineBench().context,
    true,
    events,
    table,
    () => Promise.resolve(null),
    new HookRunner(new CallHooks()),
    undefined,
  );
  call.attemptBegins('m', DEPLOYMENT, {});
  call.collector.streamed([usageChunk(9, 3)]);
  call.attemptEnds(BROKEN, billedTokens(boundTokens(9), boundTokens(5)));
  then(call);
  return outcomes[0]!;
}

describe('the usage of a call whose stream broke', () => {
  it('is that of the broken attempt alone, where no other deployment could go on', () => {
    for (const isTriedAgain of [false, true]) {
      const { reported, attempts } = outcomeOf((call) => {
        if (isTriedAgain) call.attemptBegins('m', DEPLOYMENT, {});
        call.broken(BROKEN);
      });
      expect(reported).toBeUndefined();
      expect(attempts.map(({ consumed }) => consumed?.totalTokens)).toEqual(isTriedAgain ? [14, undefined] : [14]);
    }
  });

  it('is that of the deployment that went on, apart from the broken one', () => {
    const { reported } = outcomeOf((call) => {
      call.attemptBegins('m', DEPLOYMENT, {});
      call.collector.goesOn?.(REQUEST, false);
      call.collector.streamed([usageChunk(20, 30)]);
      call.streamEnded();
    });
    expect(reported?.totalTokens).toBe(50);
  });
});
