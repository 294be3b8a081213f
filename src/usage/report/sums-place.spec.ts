import fc from 'fast-check';
import { loadSqlite } from '../../database/sqlite-library.js';
import { GatewayError } from '../../errors/gateway-error.js';
import {
  behindPlace,
  isBehind,
  parseSumsPlace,
  placeBehind,
  type PlacedRow,
  printSumsPlace,
  type SumsPlace,
} from './sums-place.js';

const DIMENSIONS = 2;
const long = 'v'.repeat(300);
const value = fc.oneof(
  fc.constant(null),
  fc.constantFrom('', 'a', 'b', 'B', 'é', '😀', '\uff0c', '"', "'"),
  fc.constantFrom(`${long}1`, `${long}2`, `${long}3`, `${'w'.repeat(199)}😀x`),
  fc.string({ maxLength: 3, unit: 'grapheme' }),
);
const rowOf = (isByCost: boolean): fc.Arbitrary<PlacedRow> =>
  fc.record({
    bucket: fc.constantFrom(0, 3_600_000, 7_200_000),
    nanos: isByCost ? fc.constantFrom(0, 1, 90, 9_007_199_254_740_993, 1e17) : fc.constant(undefined),
    groups: fc.tuple(value, value),
  });
const keyOf = (one: PlacedRow): string => JSON.stringify([one.bucket, one.groups]);
const rowsOf = (isByCost: boolean): fc.Arbitrary<PlacedRow[]> =>
  fc.uniqueArray(rowOf(isByCost), { selector: keyOf, maxLength: 30 });

const byText = (one: string | null, other: string | null): number => {
  if (one === other) return 0;
  if (one === null || other === null) return one === null ? -1 : 1;
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
};
const inOrder = (one: PlacedRow, other: PlacedRow): number =>
  other.bucket - one.bucket ||
  (other.nanos ?? 0) - (one.nanos ?? 0) ||
  byText(one.groups[0] ?? null, other.groups[0] ?? null) ||
  byText(one.groups[1] ?? null, other.groups[1] ?? null);

describe.each([
  ['group', false],
  ['cost', true],
])('the place in a list of sums by %s', (_order, isByCost) => {
  it('shows each row that is there throughout exactly once, while rows come and go', () => {
    fc.assert(
      fc.property(
        rowsOf(isByCost),
        fc.array(rowsOf(isByCost), { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.integer({ min: 1, max: 5 }),
        (first, additions, removals, limit) => {
          const rows = new Map(first.map((each) => [keyOf(each), each]));
          const throughout = new Set(rows.keys());
          const seen: string[] = [];
          let cursor: string | undefined;
          for (let pages = 0; pages < 500; pages += 1) {
            const place = parseSumsPlace(cursor, DIMENSIONS, isByCost);
            const behind = [...rows.values()]
              .sort(inOrder)
              .filter((each) => place === undefined || isBehind(each, place));
            const rest = behind.slice(place?.skip ?? 0);
            const page = rest.slice(0, limit);
            seen.push(...page.map(keyOf));
            if (rest.length <= limit) {
              const kept = seen.filter((key) => throughout.has(key));
              expect(kept).toHaveLength(throughout.size);
              expect(new Set(kept)).toEqual(throughout);
              return;
            }
            const next = placeBehind(page, place);
            cursor = next === undefined ? undefined : printSumsPlace(next);
            expect(cursor?.length).toBeLessThan(2_000);
            // Rows that begin alike beyond what a cursor holds are counted, so they stay.
            const isCounted = (key: string): boolean => /v{200}|w{199}/.test(key);
            for (const added of additions[pages] ?? []) {
              // A row whose cost changes has another place.
              if (!isCounted(keyOf(added)) && !rows.has(keyOf(added))) rows.set(keyOf(added), added);
            }
            const gone = [...rows.keys()].filter((key) => !isCounted(key))[removals[pages] ?? -1];
            if (gone !== undefined) {
              rows.delete(gone);
              throughout.delete(gone);
            }
          }
          throw new Error('the pages do not end');
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is the same place in SQL', () => {
    const database = new (loadSqlite())(':memory:');
    database.exec('CREATE TABLE sums (bucket INTEGER, nanos DOUBLE PRECISION, first TEXT, second TEXT)');
    fc.assert(
      fc.property(rowsOf(isByCost), fc.nat(), (rows, at) => {
        const all = [...rows].sort(inOrder);
        const place = placeBehind(all.slice(0, at % (all.length + 1)), undefined);
        if (place === undefined) return;
        database.exec('DELETE FROM sums');
        const insert = database.prepare('INSERT INTO sums VALUES (?, ?, ?, ?)');
        for (const { bucket, nanos, groups } of all) insert.run(bucket, nanos ?? null, ...groups);
        const expressions = { bucket: 'bucket', nanos: 'nanos', groups: ['first', 'second'] };
        const { sql, parameters } = behindPlace(expressions, place);
        const found = database
          .prepare<object, { bucket: number; nanos: number | null; first: string | null; second: string | null }>(
            `SELECT * FROM sums WHERE ${sql}`,
          )
          .all(parameters)
          .map(({ bucket, nanos, first, second }) => ({ bucket, nanos: nanos ?? undefined, groups: [first, second] }));
        expect(found.sort(inOrder)).toEqual(all.filter((each) => isBehind(each, place)));
      }),
      { numRuns: 300 },
    );
    database.close();
  });

  it.each([
    '',
    '20',
    'nothing',
    Buffer.from('[1,[],0]').toString('base64url'),
    Buffer.from('[1,[null,"a","b"],0]').toString('base64url'),
    Buffer.from('[1,["a",5],0]').toString('base64url'),
    Buffer.from('[1,["a","b"],-1]').toString('base64url'),
    Buffer.from('[1e400,["a","b"],0]').toString('base64url'),
    Buffer.from('[1,["a","b"],0,-1]').toString('base64url'),
    Buffer.from('[1,["a","b"],0,"1"]').toString('base64url'),
    Buffer.from('{"bucket":1}').toString('base64url'),
  ])('is not %j', (cursor) => {
    expect(() => parseSumsPlace(cursor, DIMENSIONS, isByCost)).toThrow(GatewayError);
  });

  it('is read as it was printed', () => {
    const place: SumsPlace = {
      bucket: 1_795_392_000_000,
      nanos: isByCost ? 9_007_199_254_740_993 : undefined,
      groups: [null, 'ä😀\u0000'],
      skip: 0,
    };
    expect(parseSumsPlace(printSumsPlace(place), DIMENSIONS, isByCost)).toEqual(place);
    // A list in another order has other places.
    expect(() => parseSumsPlace(printSumsPlace(place), DIMENSIONS, !isByCost)).toThrow(GatewayError);
  });
});
