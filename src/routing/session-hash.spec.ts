import fc from 'fast-check';
import type { Deployment } from './resolved-model.js';
import { hashText, orderBySession } from './session-hash.js';

function deployment(id: string, weight = 1): Deployment {
  return { id, weight } as Deployment;
}

function firstOf(session: string, deployments: readonly Deployment[]): string | undefined {
  return orderBySession(hashText(session), deployments)[0]?.id;
}

/** Deployments of any ids, each once, with weights that an operator may choose. */
const deployments = fc
  .uniqueArray(
    fc.tuple(fc.string({ minLength: 1, maxLength: 40 }), fc.double({ min: 0.01, max: 1_000, noNaN: true })),
    {
      selector: ([id]) => id,
      minLength: 2,
      maxLength: 8,
    },
  )
  .map((entries) => entries.map(([id, weight]) => deployment(id, weight)));
const session = fc.string({ unit: 'binary', maxLength: 200 });

describe('a session', () => {
  it('has every deployment in its order once, and the same order in whichever order they are listed', () => {
    fc.assert(
      fc.property(deployments, session, (all, name) => {
        const order = orderBySession(hashText(name), all);
        expect(new Set(order)).toEqual(new Set(all));
        expect(order).toHaveLength(all.length);
        expect(orderBySession(hashText(name), all.toReversed())).toEqual(order);
      }),
    );
  });

  it('keeps the order of the others when any deployment is removed, so that only its own sessions move', () => {
    fc.assert(
      fc.property(deployments, fc.nat(), session, (all, which, name) => {
        const removed = all[which % all.length];
        const order = orderBySession(hashText(name), all);
        const rest = all.filter((each) => each !== removed);
        expect(orderBySession(hashText(name), rest)).toEqual(order.filter((each) => each !== removed));
      }),
    );
  });

  it('moves only to a deployment that is added, or whose weight grows', () => {
    fc.assert(
      fc.property(
        deployments,
        fc.nat(),
        session,
        fc.double({ min: 1, max: 50, noNaN: true }),
        (all, which, name, more) => {
          const at = which % all.length;
          const grown = all.map((each, index) => (index === at ? deployment(each.id, each.weight * more) : each));
          const before = firstOf(name, all);
          const after = firstOf(name, grown);
          expect(after === before || after === grown[at]?.id).toBe(true);
        },
      ),
    );
  });

  it('is the same in every version of Node.js and on every machine', () => {
    const three = ['openai/gpt-5-mini', 'azure/gpt-5-mini', 'anthropic/claude-haiku-4-5'].map((id) => deployment(id));
    const names = Array.from({ length: 8 }, (_, index) => `session-${index}`);
    expect(names.map((name) => three.findIndex(({ id }) => id === firstOf(name, three)))).toEqual([
      2, 2, 0, 0, 1, 2, 0, 1,
    ]);
  });
});

describe('shares of sessions', () => {
  const ROUNDS = 8_000;

  it.each([
    ['a uuid', (index: number) => `01a21d63-4d7f-7c40-bafd-${index.toString(16).padStart(12, '0')}`],
    ['a number', String],
    ['a long prompt with a number at its end', (index: number) => `${'You are helpful. '.repeat(8)}${index}`],
  ])('follow the weights, for %s', (_kind, nameOf) => {
    const weights = [1, 3, 6, 0.5];
    const all = weights.map((weight, index) => deployment(`p/m${index}`, weight));
    const counts = new Map<string, number>();
    for (let index = 0; index < ROUNDS; index += 1) {
      const id = firstOf(nameOf(index), all) ?? '';
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    weights.forEach((weight, index) => {
      const share = (counts.get(`p/m${index}`) ?? 0) / ROUNDS;
      expect(share).toBeGreaterThan((weight / total) * 0.9 - 0.005);
      expect(share).toBeLessThan((weight / total) * 1.1 + 0.005);
    });
  });

  it('of a deployment that is gone go to the others by their weights', () => {
    const all = [deployment('a', 5), deployment('b', 3), deployment('c', 1)];
    const moved = { b: 0, c: 0 };
    for (let index = 0; index < ROUNDS; index += 1) {
      const order = orderBySession(hashText(`s${index}`), all).map(({ id }) => id);
      if (order[0] === 'a') moved[order[1] as 'b' | 'c'] += 1;
    }
    expect(moved.b / (moved.b + moved.c)).toBeCloseTo(0.75, 1);
  });

  it('of a place that is listed twice are those of both entries', () => {
    const all = [deployment('a', 1), deployment('a', 1), deployment('b', 2)];
    let ofA = 0;
    for (let index = 0; index < ROUNDS; index += 1) if (firstOf(`s${index}`, all) === 'a') ofA += 1;
    expect(ofA / ROUNDS).toBeCloseTo(0.5, 1);
  });
});
