import fc from 'fast-check';
import { DataSource, EntitySchema, type Repository } from 'typeorm';
import { GatewayError } from '../errors/gateway-error.js';
import { timeOrderedId } from '../runtime/random-id.js';
import { newestFirst, type PageRequest } from './newest-first.js';
import { loadSqlite } from './sqlite-library.js';

interface Row {
  id: string;
  createdAt: number;
  isListed: boolean;
  owner: string;
}

const ROW = new EntitySchema<Row>({
  name: 'row',
  columns: {
    id: { type: 'varchar', primary: true },
    createdAt: { type: 'bigint', transformer: { from: Number, to: (value: number) => value } },
    isListed: { type: 'boolean' },
    owner: { type: 'varchar' },
  },
});
const LIST = { what: 'row', idPrefix: 'row_' };
const DAY_MS = 86_400_000;
const SPAN = { start: 0, end: 10_000_000 };

/** What happens to the table between two pages. Positions are of the rows that there are. */
type Change =
  | { readonly do: 'add'; readonly time: number }
  | { readonly do: 'delete'; readonly at: number }
  | { readonly do: 'hide'; readonly at: number };

// Few times, so that many rows share one.
const time = fc.integer({ min: 0, max: 5 }).map((each) => each * 1_900_000);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ do: fc.constant('add' as const), time }),
  fc.record({ do: fc.constantFrom('delete' as const, 'hide' as const), at: fc.nat() }),
);

describe('newestFirst', () => {
  let source: DataSource;
  let table: Repository<Row>;
  let count = 0;

  beforeAll(async () => {
    source = new DataSource({
      type: 'better-sqlite3',
      driver: loadSqlite(),
      database: ':memory:',
      entities: [ROW],
      synchronize: true,
    });
    await source.initialize();
    table = source.getRepository(ROW);
  });
  afterAll(async () => {
    await source.destroy();
  });

  const add = async (createdAt: number, fields: Partial<Row> = {}): Promise<string> => {
    count += 1;
    // In no order of time.
    const id = `row_${((count * 7_919) % 100_003).toString(16).padStart(8, '0')}`;
    await table.insert({ id, createdAt, isListed: true, owner: 'a', ...fields });
    return id;
  };
  const pageOf = (request: Omit<PageRequest<Row>, 'what' | 'idPrefix'>): ReturnType<typeof newestFirst<Row>> =>
    newestFirst(table.createQueryBuilder('row').where('row.isListed = true'), 'createdAt', { ...request, ...LIST });

  it.each([undefined, SPAN])(
    'shows each row that is there throughout exactly once (slices of %j)',
    async (inSlicesOf) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(time, { maxLength: 25 }),
          fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 12 }),
          fc.integer({ min: 1, max: 6 }),
          async (times, rounds, limit) => {
            await table.clear();
            const throughout = new Set<string>();
            for (const each of times) throughout.add(await add(each));
            const seen: string[] = [];
            let after: string | undefined;
            for (let page = 0; ; page += 1) {
              const { rows, next, has_more: hasMore } = await pageOf({ limit, after, inSlicesOf });
              seen.push(...rows.map(({ id }) => id));
              expect(hasMore).toBe(next !== null);
              if (next === null) break;
              after = next;
              for (const each of rounds[page] ?? []) {
                const all = await table.find({ order: { id: 'ASC' } });
                if (each.do === 'add') await add(each.time);
                else if (all.length > 0) {
                  const { id } = all[each.at % all.length] ?? { id: '' };
                  if (each.do === 'delete') await table.delete({ id });
                  else await table.update({ id }, { isListed: false });
                  throughout.delete(id);
                }
              }
              // The row that the page ended with, often.
              const last = rows.at(-1)?.id ?? '';
              if (page % 2 === 0 && throughout.delete(last)) {
                seen.splice(seen.indexOf(last), 1);
                await table.delete({ id: last });
              }
            }
            expect(new Set(seen).size).toBe(seen.length);
            expect(new Set(seen.filter((id) => throughout.has(id)))).toEqual(throughout);
          },
        ),
        { numRuns: 40 },
      );
    },
  );

  it('stops where nothing waits for the page any more', async () => {
    await table.clear();
    const reason = new Error('the client has left');
    const request = { limit: 5, after: undefined, inSlicesOf: { start: 0, end: 90 * DAY_MS } };
    await expect(pageOf({ ...request, gone: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(pageOf({ ...request, gone: new AbortController().signal })).resolves.toMatchObject({ rows: [] });
  });

  it('takes the id of a row as well, also of one that the list does not show', async () => {
    await table.clear();
    const ids = [await add(1), await add(2), await add(3)];
    await table.update({ id: ids[1] ?? '' }, { isListed: false });
    expect((await pageOf({ limit: 5, after: ids[2] })).rows.map(({ id }) => id)).toEqual([ids[0]]);
    expect((await pageOf({ limit: 5, after: ids[1] })).rows.map(({ id }) => id)).toEqual([ids[0]]);
  });

  it('knows the place of a row that was deleted by its id, where that has the time', async () => {
    await table.clear();
    const now = Date.now();
    const ids = [3, 2, 1].map((age) => timeOrderedId('row_', now - age * 1_000));
    for (const [index, id] of ids.entries()) await add(now - (3 - index) * 1_000, { id });
    await table.delete({ id: ids[1] ?? '' });
    for (const owner of ['a', 'b']) {
      const page = await pageOf({ limit: 5, after: ids[1], owner: { owner } });
      expect(page.rows.map(({ id }) => id)).toEqual([ids[0]]);
    }
    await expect(pageOf({ limit: 5, after: timeOrderedId('key_') })).rejects.toMatchObject({ status: 400 });
  });

  it.each(['nothing', '', 'key_1.5', 'row_1', 'row_1.x'])('refuses %j', async (after) => {
    const refused = pageOf({ limit: 5, after });
    await expect(refused).rejects.toBeInstanceOf(GatewayError);
    await expect(refused).rejects.toMatchObject({ status: 400, param: 'after' });
  });

  it('says nothing of rows of another owner', async () => {
    await table.clear();
    const other = await add(1, { owner: 'b' });
    await expect(pageOf({ limit: 5, after: other, owner: { owner: 'a' } })).rejects.toMatchObject({ status: 400 });
    await expect(pageOf({ limit: 5, after: other, owner: { owner: 'b' } })).resolves.toMatchObject({ rows: [] });
  });
});
