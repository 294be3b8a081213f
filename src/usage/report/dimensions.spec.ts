import fc from 'fast-check';
import { dimensionsOf, GROUP_BY_PATTERN, metadataMember } from './dimensions.js';

describe('dimensions of a usage report', () => {
  it.each(['none', 'key', 'key,model', 'model,user,metadata.team', 'metadata.cost-centre'])('takes %s', (groupBy) => {
    expect(groupBy).toMatch(GROUP_BY_PATTERN);
  });

  it.each([
    '',
    'colour',
    'key,',
    'none,key',
    'key,model,provider,user',
    'metadata.',
    "metadata.a'b",
    'metadata.a b',
    'KEY',
  ])('refuses %j', (groupBy) => {
    expect(groupBy).not.toMatch(GROUP_BY_PATTERN);
  });

  it('names each once, in order', () => {
    expect(dimensionsOf('model,key,model', true).map(({ name }) => name)).toEqual(['model', 'key']);
    expect(dimensionsOf('none', true)).toEqual([]);
  });

  it('never puts text into a statement that could end a string there', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (name, isSqlite) => {
        let expression: string;
        try {
          expression = metadataMember(name, isSqlite);
        } catch (error) {
          return error instanceof TypeError;
        }
        return /^[A-Za-z0-9_-]+$/.test(name) && expression.includes(name);
      }),
    );
  });
});
