import type { AnySetting, Kind, Settings } from './settings/setting.js';

/** Stands for a value that is not shown. */
export const HIDDEN = '<hidden>';
/** Names whose values may be credentials although no setting says so: headers of providers. */
const UNKNOWN_CONTENT = 'headers';
/** User and password of a URL. */
const USER_OF_URL = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i;

/** Sections of gateway.yaml as they were read, without secrets. */
export type WrittenSettings = Readonly<Record<string, unknown>>;

/** The given sections of a file. Values of secret settings, headers, and users of URLs are hidden. @param file has passed the schema */
export function writtenSettings(file: object, sections: Settings): WrittenSettings {
  const values = Object.entries(file).filter(([key]) => Object.hasOwn(sections, key));
  return Object.fromEntries(values.map(([key, value]) => [key, ofSetting(value, sections[key])]));
}

function ofSetting(value: unknown, setting: AnySetting | undefined): unknown {
  // What no setting describes is not shown.
  if (setting === undefined || setting.facts.secret === true) return hidden(value);
  return ofKind(value, setting.kind);
}

function ofKind(value: unknown, { members, items }: Kind<unknown, unknown>): unknown {
  if (typeof value === 'string') return value.replace(USER_OF_URL, `$1${HIDDEN}@`);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => (items === undefined ? ofPlain(each) : ofKind(each, items)));
  const entries = Object.entries(value).map(([key, each]): [string, unknown] => {
    if (key === UNKNOWN_CONTENT) return [key, hidden(each)];
    if (members !== undefined) return [key, ofSetting(each, members[key])];
    return [key, items === undefined ? ofPlain(each) : ofKind(each, items)];
  });
  return Object.fromEntries(entries);
}

/** Values of a kind that has neither members nor elements of its own, such as a choice of several forms. */
function ofPlain(value: unknown): unknown {
  return ofKind(value, { form: '', schema: {}, value: (each) => each });
}

/** Keeps the names of members, and how many elements there are. */
function hidden(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hidden);
  if (typeof value !== 'object' || value === null) return HIDDEN;
  return Object.fromEntries(Object.keys(value).map((key) => [key, HIDDEN]));
}
