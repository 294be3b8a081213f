/** The settings of one profile, names in lower case. */
export type Profile = Readonly<Record<string, string>>;

const SECTION = /^\[\s*(?:(profile)\s+)?(?:"([^"]+)"|'([^']+)'|([^\]"']+?))\s*\]/;

/**
 * The profiles of AWS's shared files. In the configuration file, sections are named `[profile name]` and others belong to other
 * features; in the credentials file they have the bare name. `[default]` is the same in both.
 */
export function readProfiles(text: string, kind: 'config' | 'credentials'): ReadonlyMap<string, Profile> {
  const profiles = new Map<string, Record<string, string>>();
  let current: Record<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:[#;]|$)/.test(line)) continue;
    const section = SECTION.exec(line);
    if (section !== null) {
      const prefix = section[1];
      const name = (section[2] ?? section[3] ?? section[4] ?? '').trim();
      const isProfile = kind === 'credentials' ? prefix === undefined : prefix !== undefined || name === 'default';
      current = isProfile ? (profiles.get(name) ?? {}) : undefined;
      if (current !== undefined) profiles.set(name, current);
      continue;
    }
    // Lines that are indented belong to the setting before, and none that is read here has such lines.
    const equals = line.indexOf('=');
    if (current === undefined || equals === -1 || /^\s/.test(line)) continue;
    const value = line.slice(equals + 1).trim();
    current[line.slice(0, equals).trim().toLowerCase()] = value.replace(/\s[#;].*$/, '').trim();
  }
  return profiles;
}

/** The settings of one profile in both files; those of the credentials file come first. */
export function profileOf(name: string, config: string, credentials: string): Profile | undefined {
  const parts = [readProfiles(config, 'config').get(name), readProfiles(credentials, 'credentials').get(name)];
  return parts.every((part) => part === undefined) ? undefined : { ...parts[0], ...parts[1] };
}
