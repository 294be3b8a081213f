import { invalidRequest } from '../../errors/gateway-error.js';
import type { CanonicalBlock, CanonicalMessage } from '../../operations/chat/canonical/blocks.js';
import type { CanonicalRequest } from '../../operations/chat/canonical/canonical-request.js';
import { MAX_MESSAGES } from '../../operations/chat/chat-messages.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { readGenerationConfig } from './read-generation-config.js';
import { CallIds, partsOf, readPart } from './read-parts.js';
import { readToolChoice, readTools } from './read-tools.js';
import { find, listOf, objectOf, stringOf, unread, wrongType, type Found } from './spelling.js';

/** Members with a place in a canonical request. `model` and `stream` come from the URL. */
const READ = new Set(['model', 'stream', 'contents', 'systemInstruction', 'tools', 'generationConfig', 'serviceTier']);
const CONTENTS_HINT = 'an array of turns such as [{"role": "user", "parts": [{"text": "Hello"}]}]';

/**
 * A body of `generateContent` or `streamGenerateContent`, with `model` and `stream` from the URL. Members that only Gemini has are
 * in `extras.gemini` by their path, such as `generationConfig.mediaResolution`.
 *
 * @throws GatewayError 400 with the path of the fault in the client's own spelling
 */
export function readRequest(body: JsonObject): CanonicalRequest {
  const { model, stream } = body;
  const system = readSystem(find(body, 'systemInstruction'));
  const contents = find(body, 'contents');
  const turns = listOf(contents, CONTENTS_HINT);
  if (turns.length === 0) {
    throw invalidRequest(`'contents' must be ${CONTENTS_HINT}.`, contents.path, 'missing_required_parameter');
  }
  if (turns.length > MAX_MESSAGES) {
    throw invalidRequest(
      `'${contents.path}' has ${turns.length} turns; at most ${MAX_MESSAGES} are taken.`,
      contents.path,
      'array_above_max_length',
    );
  }
  const ids = new CallIds();
  const messages = turns.flatMap((value, index) => {
    const path = Array.isArray(contents.value) ? `${contents.path}[${index}]` : contents.path;
    return readContent({ value, path }, ids);
  });
  const tools = readTools(find(body, 'tools'));
  const { choice, extras: ofToolConfig } = readToolChoice(find(body, 'toolConfig'));
  const config = readGenerationConfig(find(body, 'generationConfig'));
  assertObjects(find(body, 'safetySettings'));
  const serviceTier = stringOf(find(body, 'serviceTier'))?.toLowerCase();
  const extras = { ...unread(body, new Set([...READ, 'toolConfig'])), ...ofToolConfig, ...config.extras };
  return {
    model: typeof model === 'string' ? model : '',
    messages: [...system, ...messages],
    ...(stream === true && { stream }),
    ...(tools.length > 0 && { tools }),
    ...(choice !== undefined && { toolChoice: choice }),
    ...config.fields,
    ...(serviceTier !== undefined && { serviceTier }),
    ...(Object.keys(extras).length > 0 && { extras: { gemini: extras } }),
  };
}

/** @throws GatewayError 400 for what is neither an object nor an array of them */
function assertObjects(found: Found): void {
  listOf(found, 'an array of objects').forEach((value, index) => {
    if (!isObject(value)) throw wrongType(`${found.path}[${index}]`, 'an object', value);
  });
}

/** @throws GatewayError 400 for a system instruction that is more than text */
function readSystem(found: Found): CanonicalMessage[] {
  if (found.value === undefined) return [];
  if (typeof found.value === 'string') return [{ role: 'system', blocks: [{ type: 'text', text: found.value }] }];
  const content = objectOf(found) ?? {};
  const blocks = partsOf(content, found.path).map((part) => {
    const block = readPart(part, new CallIds());
    if (block.type === 'text') return block;
    throw invalidRequest(`'${part.path}' must be text: a system instruction has no other parts.`, part.path);
  });
  return blocks.length === 0 ? [] : [{ role: 'system', blocks }];
}

function readContent({ value: content, path }: Found, ids: CallIds): CanonicalMessage[] {
  if (!isObject(content)) throw wrongType(path, 'a turn with role and parts', content);
  const role = roleOf(find(content, 'role', path));
  if (role === 'assistant') ids.beginTurn();
  const parts = partsOf(content, path);
  const blocks = parts.map((part) => readPart(part, ids));
  if (role === 'assistant') {
    const at = blocks.findIndex(({ type }) => type === 'tool_result');
    if (at === -1) return [{ role, blocks }];
    throw invalidRequest(`'${parts[at]?.path ?? path}': a functionResponse belongs to the user's turn.`, path);
  }
  return byKind(blocks);
}

/** Results of calls come first, in a turn of their own. */
function byKind(blocks: readonly CanonicalBlock[]): CanonicalMessage[] {
  const results = blocks.filter(({ type }) => type === 'tool_result');
  const others = blocks.filter(({ type }) => type !== 'tool_result');
  const messages: CanonicalMessage[] = results.length === 0 ? [] : [{ role: 'tool', blocks: results }];
  if (others.length > 0 || results.length === 0) messages.push({ role: 'user', blocks: others });
  return messages;
}

function roleOf(found: Found): 'user' | 'assistant' {
  const role = stringOf(found)?.toLowerCase();
  switch (role) {
    case undefined:
    case '':
    case 'user':
    case 'function':
    case 'tool':
      return 'user';
    case 'model':
    case 'assistant':
      return 'assistant';
    default:
      throw invalidRequest(`'${found.path}' must be user or model, not ${role.slice(0, 40)}.`, found.path);
  }
}
