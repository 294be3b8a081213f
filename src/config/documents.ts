import { editorSchema } from './editor-schema.js';
import { GATEWAY_SCHEMA } from './gateway-schema.js';
import { settingsTables } from './settings/tables.js';

/** The text of gateway.schema.json, for editors. */
export function schemaDocument(): string {
  return `${JSON.stringify(editorSchema(GATEWAY_SCHEMA), null, 2)}\n`;
}

/**
 * docs/configuration.md with the tables between its markers as the settings are now. The rest of the page stays.
 *
 * @throws Error where the page lacks the markers of a table
 */
export function withSettingsTables(page: string): string {
  return Object.entries(settingsTables()).reduce((text, [name, table]) => {
    const begin = `<!-- settings: ${name} -->`;
    const end = '<!-- end of settings -->';
    const start = text.indexOf(begin);
    const stop = text.indexOf(end, start);
    if (start === -1 || stop === -1) throw new Error(`docs/configuration.md lacks the markers ${begin} and ${end}`);
    const body = `<!-- prettier-ignore-start -->\n\n${table}\n\n<!-- prettier-ignore-end -->`;
    return `${text.slice(0, start + begin.length)}\n${body}\n${text.slice(stop)}`;
  }, page);
}
