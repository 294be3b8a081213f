import { readdirSync } from 'node:fs';
import { SCHEMA } from './schema.js';

describe('the schema', () => {
  const names = SCHEMA.migrations.map(({ name }) => name);

  it('has every migration of the folder', () => {
    const files = readdirSync(new URL('../migrations/', import.meta.url)).filter((file) => file.endsWith('.ts'));
    const classes = files.map((file) => file.replace(/^(\d+)-(.*)\.ts$/, '$2$1'));
    expect([...names].sort()).toEqual(classes.sort());
  });

  it('lists them in the order in which they run', () => {
    const times = names.map((name) => Number(name.slice(-13)));
    expect(times).toEqual([...times].sort((first, second) => first - second));
  });
});
