import fc from 'fast-check';
import { printPath, readYaml } from './yaml-source.js';

describe('readYaml', () => {
  it('puts variables and defaults in after parsing, so that they never become structure', () => {
    const { value, faults } = readYaml('a: ${A}\nb: { c: ${B:-x: y}, d: "${A}-${C:-}" }\n', { A: 'k: [1, 2] # no' });
    expect(faults).toEqual([]);
    expect(value).toEqual({ a: 'k: [1, 2] # no', b: { c: 'x: y', d: 'k: [1, 2] # no-' } });
  });

  it('gives numbers and booleans where a whole value is one', () => {
    expect(readYaml('a: ${A}\nb: ${B}\nc: ${C}\n', { A: '3000', B: 'true', C: '007' }).value).toEqual({
      a: 3000,
      b: true,
      c: '007',
    });
  });

  it('leaves an escaped placeholder and a comment alone', () => {
    const { value, faults } = readYaml('a: $${A}\nb: $${A:-d} # ${NOT_SET}\n', {});
    expect(faults).toEqual([]);
    expect(value).toEqual({ a: '${A}', b: '${A:-d}' });
  });

  it('counts an empty variable as unset', () => {
    expect(readYaml('a: ${A:-d}', { A: '' }).value).toEqual({ a: 'd' });
    expect(readYaml('x:\n  - a: ${A}', { A: '' }).faults).toMatchObject([{ path: 'x[0].a', line: 2 }]);
  });

  it.each([
    ['models:\n  - id: a\n    ${A}: b\n', 'models[0].${A}', 3],
    ['x${A:-d}y: 1\n', 'x${A:-d}y', 1],
    ['a: { b: { ${NOT_SET}: 1 } }\n', 'a.b.${NOT_SET}', 1],
  ])('refuses a variable in a name: %j', (text, path, line) => {
    expect(readYaml(text, { A: 'name' }).faults).toEqual([
      { path, line, message: 'a name cannot contain a variable. Write the name itself' },
    ]);
  });

  it('takes an escaped placeholder in a name as its text', () => {
    expect(readYaml('a: { $${A}: 1, b$${B:-c}: ${C} }\n', { A: 'x', C: '2' })).toMatchObject({
      value: { a: { '${A}': 1, 'b${B:-c}': 2 } },
      faults: [],
    });
  });

  it('refuses duplicate keys', () => {
    expect(readYaml('a: 1\na: 2\n', {}).faults).toMatchObject([{ path: 'YAML', line: 2 }]);
  });

  it('substitutes any value of a variable literally, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (value) => {
        const result = readYaml('a: "<${A}>"', { A: value }).value;
        expect(result).toEqual({ a: `<${value}>` });
      }),
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void readYaml(text, {})));
  });
});

describe('printPath', () => {
  it('prints as people write it', () => {
    expect(printPath(['models', 0, 'deployments', 1, 'provider'])).toBe('models[0].deployments[1].provider');
  });
});
