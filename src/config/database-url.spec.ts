import { dataDirectoryOf, readDatabaseUrl } from './database-url.js';

describe('readDatabaseUrl', () => {
  const read = (url: string): unknown => readDatabaseUrl(url, '/srv');

  it.each([
    ['sqlite:./data/a.sqlite', { kind: 'sqlite', path: '/srv/data/a.sqlite' }],
    ['sqlite:/var/a.sqlite', { kind: 'sqlite', path: '/var/a.sqlite' }],
    ['sqlite:///var/a.sqlite', { kind: 'sqlite', path: '/var/a.sqlite' }],
    ['sqlite::memory:', { kind: 'sqlite', path: ':memory:' }],
    ['postgresql://u@h/d', { kind: 'postgres', url: 'postgresql://u@h/d' }],
  ])('reads %s', (url, expected) => {
    expect(read(url)).toEqual(expected);
  });

  it.each([['sqlite:'], ['sqlite://host/a'], ['mysql://h/d'], ['postgres://u:p@ss:w@rd@h:x/d'], ['']])(
    'refuses %s',
    (url) => {
      expect(read(url)).toEqual(expect.any(String));
    },
  );
});

it('keeps the pepper beside the embedded database, unless a folder is named', () => {
  expect(dataDirectoryOf(undefined, { kind: 'sqlite', path: '/var/a/b.sqlite' }, '/srv')).toBe('/var/a');
  expect(dataDirectoryOf('state', { kind: 'sqlite', path: '/var/a/b.sqlite' }, '/srv')).toBe('/srv/state');
  expect(dataDirectoryOf(undefined, { kind: 'postgres', url: 'postgres://h/d' }, '/srv')).toBe('/srv/data');
});
