/**
 * Calls of an agent's own tools. Which tool writes, reads or runs is known from its name and from the properties of its
 * schema, so that a new version of an agent needs no change here.
 */
import { join } from 'node:path';
import { instanceOf } from './schema-instance.mjs';

const PATHS = ['file_path', 'filePath', 'filepath', 'absolute_path', 'target_file', 'path', 'file', 'filename'];
const CONTENTS = ['content', 'contents', 'file_text', 'new_text', 'text'];
const COMMANDS = ['command', 'cmd', 'commands', 'script'];
const PATCHES = ['input', 'patch', 'patchText', 'patch_text'];

const WRITERS = /(?:^|_)(?:write|create|editor)(?:_|$)|write_?(?:to_?)?file|create_?(?:new_?)?file/i;
const SHELLS = /bash|shell|exec|terminal|command/i;
const READERS = /^(?:read|view|cat|open)(?:_?files?)?$/i;
/** Tools about a running shell rather than tools that start a command. */
const NO_SHELL = /^(?:read|stop|kill|list|write)_/i;

/**
 * @typedef {object} Tool what a request offers
 * @property {string} name
 * @property {any} parameters its JSON schema; of a custom tool undefined
 * @property {boolean} [custom] whether it takes free text
 *
 * @typedef {object} ToolCall
 * @property {string} name
 * @property {any} arguments an object; of a custom tool a string
 * @property {boolean} custom
 *
 * @typedef {object} Task
 * @property {string} folder where the agent works
 * @property {string} file name of the file that the agent is to write, which no other file has
 * @property {string} line its only line
 */

const propertiesOf = (tool) => tool.parameters?.properties ?? {};
const firstOf = (tool, names) => names.find((name) => name in propertiesOf(tool));

/** The call with these arguments, and with all others that the schema requires. */
function call(tool, known) {
  const required = instanceOf({ type: 'object', ...tool.parameters });
  const optional = {};
  if (propertiesOf(tool).description !== undefined) optional.description = 'Write a note';
  return { name: tool.name, custom: false, arguments: { ...required, ...optional, ...known } };
}

/** A value of a property that takes one of several or a list of them. */
function asProperty(tool, name, value, listed) {
  const schema = propertiesOf(tool)[name];
  const types = [schema.type, ...(schema.anyOf ?? schema.oneOf ?? []).map((each) => each.type)].flat();
  return types.includes('string') || !types.some((type) => /array/i.test(String(type))) ? value : listed;
}

/** @param {Tool[]} tools @param {Task} task */
function writeCall(tools, { folder, file, line }) {
  for (const tool of tools) {
    const path = firstOf(tool, PATHS);
    const content = firstOf(tool, CONTENTS);
    if (tool.custom === true || !WRITERS.test(tool.name) || path === undefined || content === undefined) continue;
    const known = { [path]: join(folder, file), [content]: `${line}\n` };
    if (propertiesOf(tool).command?.enum?.includes('create') === true) known.command = 'create';
    return call(tool, known);
  }
  return undefined;
}

/** @param {Tool[]} tools @param {Task} task */
function patchCall(tools, { file, line }) {
  const tool = tools.find((each) => /apply_?patch/i.test(each.name));
  if (tool === undefined) return undefined;
  const patch = `*** Begin Patch\n*** Add File: ${file}\n+${line}\n*** End Patch\n`;
  if (tool.custom === true) return { name: tool.name, custom: true, arguments: patch };
  const name = firstOf(tool, PATCHES);
  return name === undefined ? undefined : call(tool, { [name]: patch });
}

/** @param {Tool[]} tools @param {string} command */
function shellCall(tools, command) {
  for (const tool of tools) {
    const name = firstOf(tool, COMMANDS);
    if (tool.custom === true || !SHELLS.test(tool.name) || NO_SHELL.test(tool.name) || name === undefined) continue;
    const listed = name === 'commands' ? [command] : ['bash', '-lc', command];
    return call(tool, { [name]: asProperty(tool, name, command, listed) });
  }
  return undefined;
}

/** @param {Tool[]} tools @param {Task} task */
function readCall(tools, { folder, file }) {
  for (const tool of tools) {
    if (tool.custom === true || !READERS.test(tool.name)) continue;
    const path = join(folder, file);
    const name = firstOf(tool, PATHS);
    if (name !== undefined) return call(tool, { [name]: path });
    if (propertiesOf(tool).files?.items?.properties?.path !== undefined) return call(tool, { files: [{ path }] });
  }
  return undefined;
}

/**
 * The call that writes the file: by the agent's tool for files, else as a patch, else in its shell.
 * @param {Tool[]} tools @param {Task} task
 * @returns {ToolCall | undefined} undefined where the request offers no such tool
 */
export function callThatWrites(tools, task) {
  const command = `printf '%s\\n' '${task.line}' > '${join(task.folder, task.file)}'`;
  return writeCall(tools, task) ?? patchCall(tools, task) ?? shellCall(tools, command);
}

/**
 * Calls that show the file, at most `most` of them, to be made at the same time.
 * @param {Tool[]} tools @param {Task} task
 * @returns {ToolCall[]}
 */
export function callsThatRead(tools, task, most) {
  const path = join(task.folder, task.file);
  const calls = [readCall(tools, task), shellCall(tools, `cat '${path}'`), shellCall(tools, `wc -c '${path}'`)];
  return calls.filter((each) => each !== undefined).slice(0, most);
}
