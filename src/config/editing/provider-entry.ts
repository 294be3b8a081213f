/** Characters of an indentation where the file has none to follow. */
const INDENT = '  ';
/** Forms that have no line to add one after: JSON, a quoted key, several documents, a value that begins on the next line. */
const OTHER_FORM =
  /^\s*\{|^["']providers["']\s*:|^(?:---|\.\.\.)\s*$|^providers\s*:[^\n]*\n(?:\s*#[^\n]*\n|\s*\n)*\s+[{[&*!|>]/m;
/** A line that begins the list of providers; the value is empty, `{}` or null. */
const PROVIDERS = /^providers\s*:\s*(\{\s*\}|null|~)?\s*(#[^\r]*)?(\r?)$/;

/**
 * The text of gateway.yaml with one more provider, which has its name and a key; all other lines stay as they are.
 *
 * @param text undefined is returned for one that is blank, because a file that cannot be read is shown as such, or in another form
 * @param apiKey undefined is returned for one that would be read as a variable
 */
export function withProviderEntry(text: string, name: string, apiKey: string): string | undefined {
  if (text.trim() === '' || OTHER_FORM.test(text) || apiKey.includes('${')) return undefined;
  const entry = (indent: string): string => `${indent}${name}: { api_key: ${JSON.stringify(apiKey)} }`;
  const lines = text.split('\n');
  const at = lines.findIndex((line) => /^providers\s*:/.test(line));
  if (at === -1) return `${text.replace(/\n*$/, '')}\n\nproviders:\n${entry(INDENT)}\n`;
  const found = PROVIDERS.exec(lines[at] ?? '');
  if (found === null) return undefined;
  const [line, value, comment = '', lineEnd = ''] = found;
  const next = lines.slice(at + 1).find((each) => /^\s*[^\s#]/.test(each));
  const indent = value === undefined ? (/^ +/.exec(next ?? '')?.[0] ?? INDENT) : INDENT;
  const head = value === undefined ? line : `providers:${comment === '' ? '' : ` ${comment}`}${lineEnd}`;
  return [...lines.slice(0, at), head, `${entry(indent)}${lineEnd}`, ...lines.slice(at + 1)].join('\n');
}
