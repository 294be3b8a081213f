import type { JsonObject } from '../../runtime/json-value.js';

/** A tool whose schema Claude knows by its type, and which the client runs. Other models need the schema. */
export interface DefinedTool {
  readonly type: RegExp;
  readonly description: string;
  readonly parameters: JsonObject;
}

const text = (description: string): JsonObject => ({ type: 'string', description });
const object = (properties: JsonObject, required: readonly string[]): JsonObject => ({
  type: 'object',
  properties,
  required,
});

/** Source: the tool use pages of Anthropic's documentation. */
const DEFINED_TOOLS: readonly DefinedTool[] = [
  {
    type: /^bash_\d{8}$/,
    description: 'Runs a command in a bash session that keeps its state between calls.',
    parameters: object(
      { command: text('The command to run.'), restart: { type: 'boolean', description: 'Restarts the session.' } },
      [],
    ),
  },
  {
    type: /^text_editor_\d{8}$/,
    description: 'Views, creates and edits text files.',
    parameters: object(
      {
        command: { type: 'string', enum: ['view', 'create', 'str_replace', 'insert'] },
        path: text('The path of the file or directory.'),
        view_range: { type: 'array', items: { type: 'integer' }, description: 'First and last line, for view.' },
        file_text: text('The text of the new file, for create.'),
        old_str: text('The text to replace, which must occur once, for str_replace.'),
        new_str: text('The text in its place, for str_replace.'),
        insert_line: { type: 'integer', description: 'The line behind which to insert, for insert.' },
        insert_text: text('The text to insert, for insert.'),
      },
      ['command', 'path'],
    ),
  },
  {
    type: /^memory_\d{8}$/,
    description: 'Reads and writes files below /memories, which are kept between conversations.',
    parameters: object(
      {
        command: { type: 'string', enum: ['view', 'create', 'str_replace', 'insert', 'delete', 'rename'] },
        path: text('The path of the file or directory.'),
        file_text: text('The text of the new file, for create.'),
        old_str: text('The text to replace, for str_replace.'),
        new_str: text('The text in its place, for str_replace.'),
        insert_line: { type: 'integer', description: 'The line behind which to insert, for insert.' },
        insert_text: text('The text to insert, for insert.'),
        old_path: text('The path of today, for rename.'),
        new_path: text('The new path, for rename.'),
      },
      ['command'],
    ),
  },
];

/** @param type such as `bash_20250124`; undefined for tools that the provider runs */
export function definedTool(type: string): DefinedTool | undefined {
  return DEFINED_TOOLS.find((tool) => tool.type.test(type));
}
