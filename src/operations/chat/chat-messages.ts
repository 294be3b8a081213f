import { asNumber } from '../../runtime/exact-integers.js';
import { isObject } from '../../runtime/json-value.js';
import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';

/** More messages than any model's context holds; a bound on work, not a business rule. */
export const MAX_MESSAGES = 10_000;
/** Most keys of one message or content part. Free-form objects (metadata, schemas, logit_bias) are not counted. */
export const MAX_KEYS = 1_000;

const ROLE_LIST = 'developer, system, user, assistant, tool, function';
/** Roles whose messages say nothing without content. Other roles, which only the provider knows, are its to check. */
const CONTENT_REQUIRED = new Set(['developer', 'system', 'user', 'tool', 'function']);
const MAX_NAME_CHARACTERS = 64;
/**
 * The field that a content part of a type that OpenAI defines must carry, and its types. Parts of any other type are the
 * provider's to check: servers add their own (`audio_url`, `video_url`, `document_url`, `thinking`).
 */
const PARTS: Readonly<
  Record<string, readonly [field: string, types: 'a string' | 'an object' | 'an object or a string']>
> = {
  text: ['text', 'a string'],
  refusal: ['refusal', 'a string'],
  image_url: ['image_url', 'an object or a string'],
  input_audio: ['input_audio', 'an object'],
  file: ['file', 'an object'],
};

/**
 * Checks `messages` in one linear pass without building class instances, and throws the first fault with its path
 * (`messages[2].content`). Fields that it does not name are left alone: they travel through to the upstream.
 */
export function assertMessages(messages: unknown, path = 'messages'): void {
  if (messages === undefined || messages === null) {
    throw invalidRequest(
      `Missing required field '${path}'. Send an array such as [{"role": "user", "content": "Hello"}].`,
      path,
      'missing_required_parameter',
    );
  }
  if (!Array.isArray(messages)) throw wrongType(path, 'an array of messages', messages);
  if (messages.length === 0) {
    throw invalidRequest(`'${path}' is empty. Send at least one message.`, path, 'empty_array');
  }
  if (messages.length > MAX_MESSAGES) {
    throw invalidRequest(
      `'${path}' has ${messages.length} messages; at most ${MAX_MESSAGES} are taken.`,
      path,
      'array_above_max_length',
    );
  }
  for (let index = 0; index < messages.length; index += 1) assertMessage(messages[index], path, index);
}

function assertMessage(message: unknown, path: string, index: number): void {
  if (!isObject(message)) throw wrongType(`${path}[${index}]`, 'an object with role and content', message);
  assertKeyCount(message, `${path}[${index}]`);
  const { role, content } = message;
  if (typeof role !== 'string') {
    if (role !== undefined) throw wrongType(`${path}[${index}].role`, `one of ${ROLE_LIST}`, role);
    throw invalidRequest(
      `Missing required field '${path}[${index}].role'. Use one of ${ROLE_LIST}.`,
      `${path}[${index}].role`,
      'missing_required_parameter',
    );
  }
  if (role === '' || role.length > MAX_NAME_CHARACTERS) {
    throw invalidRequest(
      `'${path}[${index}].role' must be 1 to ${MAX_NAME_CHARACTERS} characters, such as one of ${ROLE_LIST}.`,
      `${path}[${index}].role`,
    );
  }
  if (typeof content === 'string') {
    assertFields(message, role, path, index);
    return;
  }
  if (Array.isArray(content)) {
    for (let part = 0; part < content.length; part += 1)
      assertPart(content[part], `${path}[${index}].content[${part}]`);
  } else if (content === null || content === undefined) {
    if (CONTENT_REQUIRED.has(role)) {
      throw invalidRequest(
        `Missing required field '${path}[${index}].content'. Only assistant messages may have none.`,
        `${path}[${index}].content`,
        'missing_required_parameter',
      );
    }
  } else {
    throw wrongType(`${path}[${index}].content`, 'a string or an array of content parts', content);
  }
  assertFields(message, role, path, index);
}

/** Fields that hold a text or null in every role: code that reads messages takes them as they are. */
const TEXT_FIELDS = ['name', 'tool_call_id'] as const;

function assertFields(message: Record<string, unknown>, role: string, path: string, index: number): void {
  if (role === 'tool' && (message['tool_call_id'] === undefined || message['tool_call_id'] === null)) {
    throw invalidRequest(
      `Missing required field '${path}[${index}].tool_call_id'. Name the tool call that this message answers.`,
      `${path}[${index}].tool_call_id`,
      'missing_required_parameter',
    );
  }
  for (const field of TEXT_FIELDS) {
    const value = message[field];
    if (value !== undefined && value !== null && typeof value !== 'string') {
      throw wrongType(`${path}[${index}].${field}`, 'a string', value);
    }
  }
  const toolCalls = message['tool_calls'];
  if (toolCalls === undefined || toolCalls === null) return;
  if (!Array.isArray(toolCalls)) throw wrongType(`${path}[${index}].tool_calls`, 'an array', toolCalls);
  for (let call = 0; call < toolCalls.length; call += 1) {
    if (!isObject(toolCalls[call]))
      throw wrongType(`${path}[${index}].tool_calls[${call}]`, 'an object', toolCalls[call]);
  }
}

function assertPart(part: unknown, path: string): void {
  if (!isObject(part)) throw wrongType(path, 'a content part object', part);
  assertKeyCount(part, path);
  const { type } = part;
  if (typeof type !== 'string' || type === '' || type.length > MAX_NAME_CHARACTERS) {
    throw invalidRequest(
      `'${path}.type' must be the name of a part type, such as ${Object.keys(PARTS).join(', ')}.`,
      `${path}.type`,
      type === undefined ? 'missing_required_parameter' : typeof type === 'string' ? 'invalid_value' : 'invalid_type',
    );
  }
  const rule = Object.hasOwn(PARTS, type) ? PARTS[type] : undefined;
  if (rule === undefined) return;
  const [field, types] = rule;
  const value = part[field];
  const isGood = (typeof value === 'string' && types !== 'an object') || (isObject(value) && types !== 'a string');
  if (isGood) return;
  if (value === undefined) {
    throw invalidRequest(
      `Missing required field '${path}.${field}'.`,
      `${path}.${field}`,
      'missing_required_parameter',
    );
  }
  throw wrongType(`${path}.${field}`, types, value);
}

function assertKeyCount(value: Record<string, unknown>, path: string): void {
  if (Object.keys(value).length > MAX_KEYS) {
    throw invalidRequest(`'${path}' has more than ${MAX_KEYS} keys.`, path, 'object_above_max_keys');
  }
}

function wrongType(path: string, expected: string, value: unknown): GatewayError {
  const actual = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof (asNumber(value) ?? value)}`;
  return invalidRequest(
    `'${path}' must be ${expected}, not ${actual.replace('a object', 'an object')}.`,
    path,
    'invalid_type',
  );
}
