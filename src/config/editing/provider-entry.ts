/** Characters of an indentation where the file has none to follow. */
const INDENT = '  ';

/**
 * The text of gateway.yaml with one more provider, which has its name and a key; all other lines stay as they are. Undefined where
 * the text has its providers in a form that has no line to add one after, or where the key would be read as a variable.
 */
export function withProviderEntry(text: string, name: string, apiKey: string): string | undefined {
  if (apiKey.includes('${')) return undefined;
  const entry = (indent: string): string => `${indent}${name}: { api_key: ${JSON.stringify(apiKey)} }`;
  const lines = text.split('\n');
  const at = lines.findIndex((line) => /^providers\s*:/.test(line));
  if (at === -1) {
    const before = text.trim() === '' ? '' : `${text.replace(/\n*$/, '')}\n\n`;
    return `${before}providers:\n${entry(INDENT)}\n`;
  }
  const isEmpty = /^providers\s*:\s*(?:\{\s*\}|null|~)\s*(?:#.*)?$/.test(lines[at] ?? '');
  if (!isEmpty && !/^providers\s*:\s*(?:#.*)?$/.test(lines[at] ?? '')) return undefined;
  const next = lines.slice(at + 1).find((line) => /^\s*[^\s#]/.test(line));
  const indent = isEmpty ? INDENT : (/^[ ]+/.exec(next ?? '')?.[0] ?? INDENT);
  return [
    ...lines.slice(0, at),
    isEmpty ? 'providers:' : (lines[at] ?? ''),
    entry(indent),
    ...lines.slice(at + 1),
  ].join('\n');
}
