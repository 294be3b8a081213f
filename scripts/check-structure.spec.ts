import { findFaults } from './check-structure.mjs';

const FLOORS = [['ground'], ['first', 'beside', 'third'], ['top', '.']];

function faultsOf(...imports: readonly string[]): ReturnType<typeof findFaults> {
  return findFaults(
    imports.map((line) => {
      const [from = '', to = ''] = line.split(' -> ');
      return { from: `src/${from}`, to: `src/${to}` };
    }),
    FLOORS,
  );
}

describe('the check of the structure', () => {
  it('takes imports downwards, inside a folder and along one floor', () => {
    expect(
      faultsOf(
        'top/a.ts -> ground/a.ts',
        'first/a.ts -> first/in/b.ts',
        'first/a.ts -> beside/b.ts',
        'main.ts -> top/a.ts',
      ),
    ).toEqual({ unknown: [], upward: [], cycles: [] });
  });

  it('names an import upwards', () => {
    expect(faultsOf('ground/deep/a.ts -> top/a.ts', 'first/a.ts -> start.ts').upward).toEqual([
      'src/ground/deep/a.ts -> src/top/a.ts',
      'src/first/a.ts -> src/start.ts',
    ]);
  });

  it('names the imports of a cycle of folders, also of three and of different files', () => {
    expect(faultsOf('first/a.ts -> beside/a.ts', 'beside/b.ts -> first/b.ts').cycles).toHaveLength(2);
    const three = ['first/a.ts -> beside/a.ts', 'beside/b.ts -> third/b.ts', 'third/c.ts -> first/c.ts'];
    expect(faultsOf(...three).cycles).toHaveLength(3);
    expect(faultsOf(...three.slice(0, 2)).cycles).toEqual([]);
  });

  it('names a folder that has no floor', () => {
    expect(faultsOf('cellar/a.ts -> ground/a.ts').unknown).toEqual(['cellar']);
  });
});
