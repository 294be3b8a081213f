import fc from 'fast-check';
import type { ApiKey } from './api-key.entity.js';
import type { KeyGroup } from './key-group.entity.js';
import { endOfLineage, intersectModels, principalOfLineage, readLineage, type KeyLineage } from './key-lineage.js';
import { mayCallModel } from './may-call-model.js';
import { SCOPES } from './principal.js';

const model = fc.stringMatching(/^[ab](?:\/[ab]){0,2}$/);
const pattern = fc.oneof(
  model,
  model.map((name) => `${name}/*`),
  fc.constant('*'),
);
const models = fc.option(fc.uniqueArray(pattern, { maxLength: 6 }));

function key(fields: Partial<ApiKey>): ApiKey {
  const empty = { scopes: ['inference'], allowedModels: null, limits: null, budget: null, groupId: null };
  const times = { expiresAt: null, revokedAt: null, createdBy: 'admin', parentId: null, requestLog: null };
  return { id: 'key_x', name: 'x', ...empty, ...times, ...fields } as ApiKey;
}

const lineage = (...keys: ApiKey[]): KeyLineage => ({
  key: keys[0]!,
  ancestors: keys.slice(1),
  groups: new Map(),
  isBroken: false,
});

describe('the models that two lists allow', () => {
  it('are those that each of them allows', () => {
    fc.assert(
      fc.property(models, models, model, (a, b, name) => {
        const may = (allowedModels: string[] | null): boolean =>
          mayCallModel({ ...principalOfLineage(lineage(key({}))), allowedModels }, name);
        expect(may(intersectModels(a, b))).toBe(may(a) && may(b));
      }),
    );
  });
});

describe('what a key may do', () => {
  const scopes = fc.subarray([...SCOPES]);
  const fallbacks = fc.constantFrom('any' as const, 'within_allowed' as const, null);
  const chain = fc.array(fc.record({ scopes, allowedModels: models, fallbacks }), { minLength: 1, maxLength: 5 });

  it('is never more than what each key that made it may do', () => {
    fc.assert(
      fc.property(chain, model, (rows, name) => {
        const keys = rows.map((row, index) => key({ ...row, id: `key_${index}` }));
        const principal = principalOfLineage(lineage(...keys));
        expect(principal.fallbacks === 'within_allowed').toBe(keys.some((each) => each.fallbacks === 'within_allowed'));
        for (const each of keys) {
          for (const scope of principal.scopes) {
            const gives = each.scopes.includes(scope) || (scope === 'routing' && each.scopes.includes('admin'));
            expect(gives).toBe(true);
          }
          if (mayCallModel(principal, name)) {
            expect(mayCallModel({ ...principal, allowedModels: each.allowedModels }, name)).toBe(true);
          }
        }
      }),
    );
  });

  it('is bound by the limits of the key, of the keys that made it and of all their groups, each once', async () => {
    const budget = { usd: 1, period: 'day' } as const;
    const group = (id: string): KeyGroup => ({ id, limits: { rpm: 1 }, budget: null }) as KeyGroup;
    const rows = [
      key({ id: 'key_3', parentId: 'key_2', limits: { rpm: 3 }, groupId: 'group_a' }),
      key({ id: 'key_2', parentId: 'key_1', groupId: 'group_b' }),
      key({ id: 'key_1', budget, groupId: 'group_a' }),
    ];
    const read = await readLineage(rows[0]!, {
      findKey: async (id) => Promise.resolve(rows.find((row) => row.id === id) ?? null),
      findGroup: async (id) => Promise.resolve(group(id)),
    });
    const { accounts, generation } = principalOfLineage(read);
    expect(accounts.map(({ id }) => id)).toEqual(['key_3', 'group_a', 'group_b', 'key_1']);
    expect(generation).toBe(2);
  });
});

describe('when a key ends', () => {
  it('is when the first key of its chain does', () => {
    const times = fc.option(fc.integer({ min: 1, max: 1_000 }));
    fc.assert(
      fc.property(fc.array(times, { minLength: 1, maxLength: 5 }), (ends) => {
        const keys = ends.map((expiresAt, index) => key({ id: `key_${index}`, expiresAt }));
        expect(endOfLineage(lineage(...keys))).toBe(Math.min(...ends.map((end) => end ?? Number.MAX_SAFE_INTEGER)));
      }),
    );
  });

  it('is at once when a key of its chain is revoked or missing, unless that is the key of the first start', () => {
    const child = key({ id: 'key_2', parentId: 'key_1' });
    const made = (parent: Partial<ApiKey>): number => endOfLineage(lineage(child, key({ id: 'key_1', ...parent })));
    expect(made({ revokedAt: 5 })).toBe(0);
    expect(made({ revokedAt: 5, createdBy: 'bootstrap' })).toBe(Number.MAX_SAFE_INTEGER);
    expect(endOfLineage(lineage(key({ revokedAt: 5, createdBy: 'bootstrap' })))).toBe(0);
    expect(endOfLineage({ ...lineage(child), isBroken: true })).toBe(0);
  });

  it('ends a chain that leads back to itself', async () => {
    const loop = key({ id: 'key_1', parentId: 'key_1' });
    const read = await readLineage(loop, {
      findKey: async () => Promise.resolve(loop),
      findGroup: async () => Promise.resolve(null),
    });
    expect(endOfLineage(read)).toBe(0);
  });
});
