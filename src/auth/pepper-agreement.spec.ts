import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { Database } from '../database/database.js';
import { GatewaySetting } from '../database/gateway-setting.entity.js';
import { openDatabase } from '../database/open-database.js';
import { SCHEMA } from '../schema.js';
import { PepperAgreement, type PepperState } from './pepper-agreement.js';
import { Pepper } from './pepper.js';

const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)];
const FINGERPRINTS = { old: new Pepper(OLD).fingerprint, new: new Pepper(NEW).fingerprint };
type Kind = 'old' | 'both' | 'new';
const PEPPERS: Record<Kind, () => Pepper> = {
  old: () => new Pepper(OLD),
  both: () => new Pepper(NEW, OLD),
  new: () => new Pepper(NEW),
};

describe('processes with different peppers', () => {
  let dataSource: DataSource;
  let database: Database;

  beforeEach(async () => {
    dataSource = await openDatabase({ kind: 'sqlite', path: ':memory:' }, SCHEMA);
    database = new Database(dataSource);
  });
  afterEach(() => dataSource.destroy());

  const agree = (agreement: PepperAgreement, mayChange = true): Promise<PepperState> =>
    database.transaction((manager) => agreement.agree(manager, mayChange));
  const leave = (agreement: PepperAgreement): Promise<void> =>
    database.transaction((manager) => agreement.leave(manager));
  const inUse = async (): Promise<string | undefined> =>
    (await dataSource.manager.findOneBy(GatewaySetting, { name: 'pepper_fingerprint' }))?.value;

  it('change to the new one when the last process with the old one alone has gone, and not before', async () => {
    const kind = fc.constantFrom<Kind>('old', 'both', 'new');
    const step = fc.oneof(
      kind.map((start) => ({ start })),
      fc.nat(9).map((stop) => ({ stop })),
      fc.nat(9).map((renew) => ({ renew })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await dataSource.query('DELETE FROM gateway_setting');
        await dataSource.query('DELETE FROM key_pepper_holder');
        const running: { kind: Kind; agreement: PepperAgreement }[] = [];
        const first = new PepperAgreement(database, PEPPERS.old());
        expect(await agree(first)).toBe('current');
        running.push({ kind: 'old', agreement: first });
        for (const each of steps) {
          const before = await inUse();
          if ('start' in each) {
            const agreement = new PepperAgreement(database, PEPPERS[each.start]());
            const state = await agree(agreement);
            const mayServe = each.start === 'both' || before === FINGERPRINTS[each.start];
            expect(state === 'unknown').toBe(!mayServe);
            if (state === 'unknown') await leave(agreement);
            else running.push({ kind: each.start, agreement });
          } else if ('stop' in each) {
            const [gone] = running.splice(each.stop, 1);
            if (gone !== undefined) await leave(gone.agreement);
          } else if (running[each.renew] !== undefined) {
            const { kind: own, agreement } = running[each.renew]!;
            const state = await agree(agreement);
            expect(state).not.toBe('unknown');
            if (own === 'both') expect(state === 'previous').toBe(running.some((other) => other.kind === 'old'));
          }
          const isNew = (await inUse()) === FINGERPRINTS.new;
          // Every running process can check every new hash.
          expect(running.some((other) => other.kind === (isNew ? 'old' : 'new'))).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('do not wait for a process of this machine that was killed, nor for long for one of another', async () => {
    await agree(new PepperAgreement(database, PEPPERS.old()));
    await dataSource.query('UPDATE key_pepper_holder SET pid = 4194305');
    expect(await agree(new PepperAgreement(database, PEPPERS.both()))).toBe('current');
    await dataSource.query('UPDATE gateway_setting SET value = ?', [FINGERPRINTS.old]);
    await dataSource.query('DELETE FROM key_pepper_holder');
    await agree(new PepperAgreement(database, PEPPERS.old()));
    await dataSource.query(`UPDATE key_pepper_holder SET host = 'elsewhere'`);
    const waiting = new PepperAgreement(database, PEPPERS.both());
    expect(await agree(waiting)).toBe('previous');
    await dataSource.query(`UPDATE key_pepper_holder SET seen_at = seen_at - 31000 WHERE host = 'elsewhere'`);
    expect([await agree(waiting, false), await agree(waiting)]).toEqual(['previous', 'current']);
  });
});
