import { readFileSync } from 'node:fs';
import { schemaDocument, withSettingsTables } from './documents.js';
import { PROVIDER_DEFINITIONS } from '../providers/definitions/registry.js';

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

// Run `npm run config:schema` when one of these two fails.
describe('the documents that are generated from the settings', () => {
  it('gateway.schema.json is up to date', () => {
    expect(JSON.parse(read('gateway.schema.json'))).toEqual(JSON.parse(schemaDocument()));
  });

  it('the tables of docs/configuration.md are up to date', () => {
    const page = read('docs/configuration.md');
    expect(withSettingsTables(page)).toBe(page);
  });

  it('are not compared with themselves: a changed row is noticed, and a page without markers is refused', () => {
    const page = read('docs/configuration.md');
    const changed = page.replace('| `3000` |', '| `3001` |');
    expect(changed).not.toBe(page);
    expect(withSettingsTables(changed)).toBe(page);
    expect(() => withSettingsTables('# Configuration')).toThrow(/lacks the markers/);
  });
});

it('docs/providers.md names the variable of every known provider', () => {
  const page = read('docs/providers.md');
  const variables = PROVIDER_DEFINITIONS.flatMap(({ keyVariable }) => keyVariable ?? []);
  expect(variables.length).toBeGreaterThan(10);
  expect(variables.filter((variable) => !page.includes(`\`${variable}\``))).toEqual([]);
});
