import type { Principal } from '../auth/principal.js';
import type { OperationName } from '../operations/operation-types.js';
import type { ResolvedModel } from '../routing/resolved-model.js';
import type { Routing } from '../routing/routing.service.js';
import { CallRoute } from './call-route.js';
import type { TrackedCall } from './tracked-call.js';

/** Context lengths that are published, by the model's id at its provider. */
const PUBLISHED: Readonly<Record<string, number>> = { small: 8_000, same: 8_000, large: 128_000 };
const lengthOf = (_baseUrl: string, upstreamModel: string): Promise<number | undefined> =>
  Promise.resolve(PUBLISHED[upstreamModel]);

interface Facts {
  readonly deployments: readonly string[];
  readonly contextLength?: number;
  readonly fallbacks?: readonly string[];
  readonly contextFallbacks?: readonly string[];
}

function routeOf(models: Readonly<Record<string, Facts>>): CallRoute {
  const resolve = (id: string): ResolvedModel => {
    const { deployments, contextLength, fallbacks = [], contextFallbacks = [] } = models[id]!;
    const provider = { name: 'p', operation: () => ({}) };
    return {
      id,
      contextLength,
      fallbacks,
      contextFallbacks,
      deployments: deployments.map((upstreamModel) => ({ provider, baseUrl: 'https://p', upstreamModel })),
    } as unknown as ResolvedModel;
  };
  const principal = { allowedModels: null } as Principal;
  const call = { request: { model: 'first' }, context: { principal }, table: {}, operation: { name: 'chat' } };
  return new CallRoute(call as unknown as TrackedCall<OperationName>, { resolve } as unknown as Routing);
}

async function triedAfterTooLong(models: Readonly<Record<string, Facts>>): Promise<string[]> {
  const route = routeOf(models);
  const rest = route.models();
  rest.next();
  await route.promptIsTooLong(lengthOf);
  return [...rest].map(({ id }) => id);
}

describe('the fallbacks of a prompt that is too long', () => {
  const FIRST = { deployments: ['small'], fallbacks: ['same', 'large', 'unknown'] };
  const OTHERS = {
    same: { deployments: ['same'] },
    large: { deployments: ['large'] },
    unknown: { deployments: ['not published'] },
  };

  it('are those that are not known to take as little, by the published lengths', async () => {
    expect(await triedAfterTooLong({ first: FIRST, ...OTHERS })).toEqual(['large', 'unknown']);
  });

  it('go by the length of the file where it has one', async () => {
    const models = { first: { ...FIRST, contextLength: 200_000 }, ...OTHERS };
    expect(await triedAfterTooLong(models)).toEqual(['unknown']);
    const larger = { ...OTHERS, same: { deployments: ['same'], contextLength: 300_000 } };
    expect(await triedAfterTooLong({ ...models, ...larger })).toEqual(['same', 'unknown']);
  });

  it('are all where the length of one deployment is not known', async () => {
    const first = { ...FIRST, deployments: ['small', 'not published'] };
    expect(await triedAfterTooLong({ first, ...OTHERS })).toEqual(['same', 'large', 'unknown']);
    const mixed = { ...OTHERS, same: { deployments: ['same', 'large'] } };
    expect(await triedAfterTooLong({ first: FIRST, ...mixed })).toEqual(['same', 'large', 'unknown']);
  });

  it('are those for long prompts where the model has any', async () => {
    const first = { ...FIRST, contextFallbacks: ['same'] };
    expect(await triedAfterTooLong({ first, ...OTHERS })).toEqual(['same']);
  });
});
