import fc from 'fast-check';
import { shareSlots, type SlotRequest } from './share-slots.js';

const job = (id: string, fields: Partial<SlotRequest> = {}): SlotRequest => ({
  id,
  keyId: 'key_1',
  priority: 'normal',
  room: 1_000,
  ...fields,
});

describe('sharing of slots', () => {
  it('gives a small job its part beside a huge one', () => {
    expect(shareSlots([job('huge'), job('small', { room: 10 })], 32)).toEqual(
      new Map([
        ['huge', 22],
        ['small', 10],
      ]),
    );
  });

  it('is fair over keys before jobs', () => {
    const shares = shareSlots([job('a'), job('b'), job('c'), job('other', { keyId: 'key_2' })], 12);
    expect(shares.get('other')).toBe(6);
    expect(shares.get('a')).toBe(2);
  });

  it('weighs jobs by priority', () => {
    const shares = shareSlots([job('high', { priority: 'high' }), job('low', { priority: 'low' })], 10);
    expect(shares.get('high')).toBeGreaterThanOrEqual(8);
    expect(shares.get('low')).toBeGreaterThanOrEqual(1);
  });

  it('counts what each key holds already', () => {
    const load = { perKey: new Map([['busy', 8]]), rooms: new Map() };
    expect(shareSlots([job('a', { keyId: 'busy' }), job('b')], 8, load)).toEqual(new Map([['b', 8]]));
  });

  it('gives what shares a model no more than the model has room for', () => {
    const load = { perKey: new Map<string, number>(), rooms: new Map([['model m', 3]]) };
    const many = Array.from({ length: 20 }, (_, index) =>
      job(`m-${index}`, { shares: ['model m'], keyId: `k${index}` }),
    );
    const shares = shareSlots([...many, job('other', { shares: ['model n'], keyId: 'k0' })], 16, load);
    expect(shares.get('other')).toBe(13);
    expect([...shares.values()].reduce((sum, share) => sum + share, 0)).toBe(16);
  });

  it('never assigns more slots than there are, and leaves no slot free that a lane has room for', () => {
    const jobs = fc.array(
      fc.record({
        id: fc.uuid(),
        keyId: fc.constantFrom('k1', 'k2', 'k3'),
        priority: fc.constantFrom('high' as const, 'normal' as const, 'low' as const),
        room: fc.nat(20),
      }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(jobs, fc.nat(64), (requests, slots) => {
        const shares = shareSlots(requests, slots);
        const given = [...shares.values()].reduce((sum, share) => sum + share, 0);
        expect(given).toBe(
          Math.min(
            slots,
            requests.reduce((sum, { room }) => sum + room, 0),
          ),
        );
        for (const { id, room } of requests) expect(shares.get(id) ?? 0).toBeLessThanOrEqual(room);
      }),
    );
  });
});
