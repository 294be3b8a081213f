import { readdirSync } from 'node:fs';
import { getMetadataArgsStorage } from 'typeorm';
import { OWNED_ROWS } from './admin/keys/owned-rows.js';
import { SCHEMA } from './schema.js';

describe('the schema', () => {
  const names = SCHEMA.migrations.map(({ name }) => name);

  it('has every migration of the folder', () => {
    const files = readdirSync(new URL('../migrations/', import.meta.url)).filter((file) => file.endsWith('.ts'));
    const classes = files.map((file) => file.replace(/^(\d+)-(.*)\.ts$/, '$2$1'));
    expect([...names].sort()).toEqual(classes.sort());
  });

  it('says of every table with rows of a key what becomes of them when the key is purged', () => {
    const { columns, tables } = getMetadataArgsStorage();
    const owned = columns
      .filter(({ propertyName, options }) => /key_?id$/i.test(options.name ?? propertyName))
      .filter(({ target }) => SCHEMA.entities.includes(target as (typeof SCHEMA.entities)[number]))
      .map(({ target }) => tables.find((table) => table.target === target)?.name);
    expect(owned.length).toBeGreaterThan(0);
    expect([...new Set(owned)].sort()).toEqual(Object.keys(OWNED_ROWS).sort());
  });

  it('lists them in the order in which they run', () => {
    const times = names.map((name) => Number(name.slice(-13)));
    expect(times).toEqual([...times].sort((first, second) => first - second));
  });
});
