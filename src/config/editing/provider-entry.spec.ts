import fc from 'fast-check';
import { parse } from 'yaml';
import { withProviderEntry } from './provider-entry.js';

const KEY = 'sk-0123456789';

describe('a provider that is added to the text of gateway.yaml', () => {
  it.each([
    ['a comment', '# mine\n'],
    ['other settings', 'port: 3000\nmodels: []'],
    [
      'providers, with comments',
      'port: 3000\n\nproviders: # all\n  # ours\n  mine: { type: openai }\n\nexpose: [mine]\n',
    ],
    ['a wider indentation', 'providers:\n    mine:\n        type: openai\nport: 1\n'],
    ['no providers', 'providers: {}\nport: 1\n'],
    ['line ends of Windows', 'port: 1\r\nproviders: # all\r\n  mine: { type: openai }\r\n'],
    ['a list', 'providers:\nmodels:\n  - { id: a }\n'],
    ['a null', 'providers: ~ # none yet\n'],
    ['a key without a value', 'providers:\nport: 1\n'],
    ['a key without a value at the end', 'port: 1\nproviders:'],
  ])('is beside %s', (_name, text) => {
    const found = withProviderEntry(text, 'openai', KEY) ?? '';
    const before = (parse(text) ?? {}) as { providers?: object | null };
    expect(parse(found)).toEqual({ ...before, providers: { ...before.providers, openai: { api_key: KEY } } });
    const isKept = (line: string): boolean => !/^providers: [{~]/.test(line);
    for (const line of text.split('\n').filter(isKept)) expect(found.split('\n')).toContain(line);
    for (const comment of text.match(/# [a-z ]+/g) ?? []) expect(found).toContain(comment);
  });

  it.each([
    '',
    ' \n',
    'providers: { mine: { type: openai } }\n',
    'providers: &all\n  mine: { type: openai }\n',
    'providers:\n  { mine: { type: openai } }\n',
    'providers:\n  # mine\n\n  { mine: { type: openai } }\n',
    '"providers":\n  mine: { type: openai }\n',
    '{ "port": 1 }\n',
    'port: 1\n...\n',
  ])('is not forced into %j', (text) => {
    expect(withProviderEntry(text, 'openai', KEY)).toBeUndefined();
  });

  it('has any key as it is, but for one that names a variable', () => {
    const printable = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(printable, (key) => {
        const found = withProviderEntry('providers:\n  mine: { type: openai }\n', 'openai', key);
        if (key.includes('${')) return found === undefined;
        return (parse(found ?? '') as { providers: { openai: { api_key: string } } }).providers.openai.api_key === key;
      }),
    );
    expect(withProviderEntry('port: 1\n', 'openai', '${HOME}')).toBeUndefined();
  });
});
