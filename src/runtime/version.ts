import { readFileSync } from 'node:fs';

/** The version of package.json, from the source tree and from dist/ alike. */
export const VERSION: string = readVersion();

function readVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (name === 'llm-gateway' && version !== undefined) return version;
    } catch {
      // Not there: the other place is.
    }
  }
  return 'unknown';
}
