import fc from 'fast-check';
import { shareSlots, type SlotRequest } from './share-slots.js';

const job = (id: string, fields: Partial<SlotRequest> = {}): SlotRequest => ({
  id,
  keyId: 'key_1',
  priority: 'normal',
  running: 0,
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

  it('counts what runs already', () => {
    expect(shareSlots([job('busy', { running: 8 }), job('new')], 8)).toEqual(new Map([['new', 8]]));
  });

  it('never gives more than there is, and leaves no slot free that somebody has room for', () => {
    const jobs = fc.array(
      fc.record({
        id: fc.uuid(),
        keyId: fc.constantFrom('k1', 'k2', 'k3'),
        priority: fc.constantFrom('high' as const, 'normal' as const, 'low' as const),
        running: fc.nat(20),
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
