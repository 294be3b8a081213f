import fc from 'fast-check';
import { PROCESS_SECTIONS, ROUTING_SECTIONS } from './settings/gateway-file.js';
import type { AnySetting, Kind } from './settings/setting.js';
import { HIDDEN, writtenSettings } from './written-settings.js';

const SECTIONS = { ...PROCESS_SECTIONS, ...ROUTING_SECTIONS };
const SECRET = 'S3cret-of-the-test';

/** The paths of all secret settings, as members. */
function secretsOf(setting: AnySetting, path: readonly string[]): string[][] {
  if (setting.facts.secret === true) return [[...path]];
  return secretsBelow(setting.kind, path);
}

function secretsBelow({ members, items }: Kind<unknown, unknown>, path: readonly string[]): string[][] {
  const below = Object.entries(members ?? {}).flatMap(([key, member]) => secretsOf(member, [...path, key]));
  return items === undefined ? below : [...below, ...secretsBelow(items, [...path, '<item>'])];
}

/** A file with a value at one path. */
function fileWith([key = '', ...rest]: readonly string[], value: unknown, setting: Kind<unknown, unknown>): unknown {
  const nameOf = (each: string): string => (each === '<item>' ? 'any' : each);
  const isList = key === '<item>' && setting.schema['type'] === 'array';
  const inner = rest.length === 0 ? value : fileWith(rest, value, belowOf(key, setting));
  return isList ? [inner] : { [nameOf(key)]: inner };
}

function belowOf(key: string, { members, items }: Kind<unknown, unknown>): Kind<unknown, unknown> {
  const below = key === '<item>' ? items : members?.[key]?.kind;
  if (below === undefined) throw new Error(`there is no ${key}`);
  return below;
}

const ROOT: Kind<unknown, unknown> = { form: '', schema: {}, members: SECTIONS, value: (file) => file };
const secrets = Object.entries(SECTIONS).flatMap(([key, section]) => secretsOf(section, [key]));

describe('the settings as they are written', () => {
  it('are shown as they are, but for what is secret', () => {
    const file = {
      server: { port: 3000, cors_origins: ['https://app.example.com'] },
      providers: {
        openai: { type: 'openai', api_key: SECRET, api_keys: [SECRET, SECRET], headers: { 'x-auth': SECRET } },
      },
      models: [{ id: 'fast', deployments: [{ provider: 'openai', model: 'gpt' }] }],
    };
    expect(writtenSettings(file, SECTIONS)).toEqual({
      ...file,
      providers: {
        openai: { type: 'openai', api_key: HIDDEN, api_keys: [HIDDEN, HIDDEN], headers: { 'x-auth': HIDDEN } },
      },
    });
    expect(Object.keys(writtenSettings(file, PROCESS_SECTIONS))).toEqual(['server']);
  });

  it('have no secret setting, wherever it is', () => {
    expect(secrets.length).toBeGreaterThan(8);
    for (const path of secrets) {
      for (const value of [SECRET, [SECRET], { a: SECRET }]) {
        const shown = JSON.stringify(writtenSettings(fileWith(path, value, ROOT) as object, SECTIONS));
        expect([path, shown.includes(SECRET), shown.includes(HIDDEN)]).toEqual([path, false, true]);
      }
    }
  });

  it('have no user of a URL, and nothing that no setting describes', () => {
    const word = fc.stringMatching(/^[a-zA-Z0-9:%!$&-]{1,20}$/);
    fc.assert(
      fc.property(word, word, (user, password) => {
        const base_url = `https://${user}:${password}-x@host.example/v1`;
        const shown = writtenSettings({ providers: { p: { type: 'openai', base_url } } }, SECTIONS);
        expect(shown).toEqual({ providers: { p: { type: 'openai', base_url: `https://${HIDDEN}@host.example/v1` } } });
      }),
    );
    expect(writtenSettings({ server: { of_another_version: { key: SECRET } }, other: SECRET }, SECTIONS)).toEqual({
      server: { of_another_version: { key: HIDDEN } },
    });
  });
});
