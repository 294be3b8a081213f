/** Which inputs OpenAI's Responses API refuses. */
import { isObject, namesOf, require, unknownKey } from './refusal.mjs';

const ITEM_FIELDS = {
  message: namesOf('type id role content status phase'),
  function_call: namesOf('type id call_id name arguments status namespace'),
  function_call_output: namesOf('type id call_id output status'),
  custom_tool_call: namesOf('type id call_id name input status namespace'),
  custom_tool_call_output: namesOf('type id call_id output status'),
  reasoning: namesOf('type id summary content encrypted_content status'),
};
/** Ids of items begin with the kind of the item. */
const ID_PREFIXES = {
  message: 'msg',
  function_call: 'fc',
  custom_tool_call: 'ctc',
  reasoning: 'rs',
};
const MAX_CALL_ID_CHARACTERS = 64;
const PART_KINDS = {
  user: namesOf('input_text input_image input_file input_audio'),
  system: namesOf('input_text input_image input_file'),
  developer: namesOf('input_text input_image input_file'),
  assistant: namesOf('output_text refusal'),
};

const typeOf = (item) => item.type ?? (item.role === undefined ? undefined : 'message');

function checkMessage(item, at) {
  const kinds = PART_KINDS[item.role];
  require(kinds !==
    undefined, `Invalid value: '${item.role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.`, {
    param: `${at}.role`,
  });
  if (typeof item.content === 'string') return;
  require(Array.isArray(
    item.content,
  ), `Invalid type for '${at}.content': expected one of an array of objects or string.`, { param: `${at}.content` });
  for (const [index, part] of item.content.entries()) {
    const supported = [...kinds].map((kind) => `'${kind}'`).join(' and ');
    require(kinds.has(part.type), `Invalid value: '${part.type}'. Supported values are: ${supported}.`, {
      param: `${at}.content[${index}]`,
      code: 'invalid_value',
    });
    if (part.type !== 'input_text') continue;
    const unknown = unknownKey(part, namesOf('type text'));
    require(unknown === undefined, `Unknown parameter: '${at}.content[${index}].${unknown}'.`, {
      code: 'unknown_parameter',
    });
  }
}

function checkReasoning(item, at, body, play) {
  require(Array.isArray(item.summary), `Missing required parameter: '${at}.summary'.`, { param: `${at}.summary` });
  if (typeof item.encrypted_content === 'string') {
    require(play.knowsSignature(
      item.encrypted_content,
    ), `The encrypted content ${item.encrypted_content.slice(0, 8)}... could not be verified. Reason: Encrypted content could not be decrypted or parsed.`, {
      code: 'invalid_encrypted_content',
    });
  } else {
    // An id alone refers to what is kept.
    require(body.store !==
      false, `Item with id '${item.id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`, {
      status: 404,
      param: 'input',
    });
  }
}

function checkItem(item, at, body, play) {
  require(isObject(item), `Invalid type for '${at}': expected an object.`, { param: at });
  const type = typeOf(item);
  const fields = ITEM_FIELDS[type];
  // Items of hosted tools, compactions and lists of tools are not this play's.
  if (fields === undefined) return;
  const unknown = unknownKey(item, fields);
  require(unknown === undefined, `Unknown parameter: '${at}.${unknown}'.`, {
    param: `${at}.${unknown}`,
    code: 'unknown_parameter',
  });
  const prefix = ID_PREFIXES[type];
  if (prefix !== undefined && item.id !== undefined && item.id !== null) {
    require(item.id.startsWith(
      prefix,
    ), `Invalid '${at}.id': '${item.id}'. Expected an ID that begins with '${prefix}'.`, {
      param: `${at}.id`,
      code: 'invalid_value',
    });
    require(item.id.length <=
      MAX_CALL_ID_CHARACTERS, `Invalid '${at}.id': string too long. Expected a string with maximum length 64, but got a string with length ${item.id.length} instead.`, {
      param: `${at}.id`,
      code: 'string_above_max_length',
    });
  }
  if (type === 'message') return checkMessage(item, at);
  if (type === 'reasoning') return checkReasoning(item, at, body, play);
  const { call_id: id } = item;
  require(typeof id === 'string' && id !== '', `Missing required parameter: '${at}.call_id'.`, {
    param: `${at}.call_id`,
  });
  require(id.length <=
    MAX_CALL_ID_CHARACTERS, `Invalid '${at}.call_id': string too long. Expected a string with maximum length 64, but got a string with length ${id.length} instead.`, {
    param: `${at}.call_id`,
    code: 'string_above_max_length',
  });
  if (type === 'function_call')
    require(typeof item.arguments === 'string', `Missing required parameter: '${at}.arguments'.`);
  if (type === 'custom_tool_call')
    require(typeof item.input === 'string', `Missing required parameter: '${at}.input'.`);
  if (type.endsWith('_output'))
    require(typeof item.output === 'string' ||
      Array.isArray(item.output), `Missing required parameter: '${at}.output'.`);
}

function checkPairs(items) {
  const callsOf = { function_call: new Set(), custom_tool_call: new Set() };
  for (const item of items) {
    if (callsOf[item.type] !== undefined) callsOf[item.type].add(item.call_id);
    const kind = item.type?.match(/^(function_call|custom_tool_call)_output$/)?.[1];
    if (kind === undefined) continue;
    const label = kind === 'function_call' ? 'function call' : 'custom tool call';
    require(callsOf[kind].has(item.call_id), `No tool call found for ${label} output with call_id ${item.call_id}.`, {
      param: 'input',
    });
  }
  const outputs = items.filter(({ type }) => type?.endsWith('_output')).map((item) => item.call_id);
  for (const [kind, ids] of Object.entries(callsOf)) {
    for (const id of ids) {
      const label = kind === 'function_call' ? 'function call' : 'custom tool call';
      require(outputs.includes(id), `No tool output found for ${label} ${id}.`, { param: 'input' });
    }
  }
}

/** Reasoning stands before what it led to. */
function checkReasoningIsFollowed(items) {
  for (const [index, item] of items.entries()) {
    if (item.type !== 'reasoning') continue;
    const next = items[index + 1];
    const isFollowed =
      next !== undefined && (next.type?.endsWith('_call') || next.type === 'reasoning' || next.role === 'assistant');
    require(isFollowed, `Item '${item.id}' of type 'reasoning' was provided without its required following item.`, {
      param: 'input',
    });
  }
}

/**
 * @param {any[]} items
 * @param {any} body
 * @param {import('./play.mjs').Play} play
 */
export function checkInput(items, body, play) {
  require(items.length >
    0, 'One of "input" or "previous_response_id" or \'prompt\' or \'conversation_id\' must be provided.', {
    code: 'missing_required_parameter',
  });
  for (const [index, item] of items.entries()) checkItem(item, `input[${index}]`, body, play);
  checkPairs(items);
  checkReasoningIsFollowed(items);
}
