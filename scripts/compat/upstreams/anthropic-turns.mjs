/** Which histories api.anthropic.com refuses. */
import { isObject, namesOf, require, unknownKey } from './refusal.mjs';

const BLOCK_FIELDS = {
  text: namesOf('type text cache_control citations'),
  image: namesOf('type source cache_control'),
  document: namesOf('type source cache_control title context citations'),
  tool_use: namesOf('type id name input cache_control caller'),
  tool_result: namesOf('type tool_use_id content is_error cache_control'),
  thinking: namesOf('type thinking signature'),
  redacted_thinking: namesOf('type data'),
};

function checkCacheControl(block, at) {
  const hint = block.cache_control;
  if (hint === undefined || hint === null) return;
  require(hint.type === 'ephemeral', `${at}.cache_control: Input tag is not 'ephemeral'`);
  const unknown = unknownKey(hint, namesOf('type ttl scope'));
  require(unknown === undefined, `${at}.cache_control.ephemeral.${unknown}: Extra inputs are not permitted`);
  require(block.type !== 'text' || block.text !== '', `${at}.text: cache_control cannot be set for empty text blocks`);
}

function checkBlock(block, at, play) {
  require(isObject(block) && typeof block.type === 'string', `${at}.type: Field required`);
  const fields = BLOCK_FIELDS[block.type];
  // Blocks of server tools are not this play's.
  if (fields === undefined) return;
  const unknown = unknownKey(block, fields);
  require(unknown === undefined, `${at}.${block.type}.${unknown}: Extra inputs are not permitted`);
  checkCacheControl(block, at);
  if (block.type === 'text') {
    require(typeof block.text === 'string' && block.text !== '', 'messages: text content blocks must be non-empty');
    require(block.text.trim() !== '', 'messages: text content blocks must contain non-whitespace text');
  } else if (block.type === 'tool_use') {
    require(/^[a-zA-Z0-9_-]+$/.test(block.id), `${at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
    require(/^[a-zA-Z0-9_-]{1,200}$/.test(
      block.name,
    ), `${at}.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,200}$'`);
    require(isObject(block.input), `${at}.tool_use.input: Input should be a valid dictionary`);
  } else if (block.type === 'tool_result') {
    require(typeof block.tool_use_id === 'string', `${at}.tool_result.tool_use_id: Field required`);
    if (Array.isArray(block.content)) {
      for (const [index, part] of block.content.entries()) checkBlock(part, `${at}.tool_result.content.${index}`, play);
    }
  } else if (block.type === 'thinking') {
    require(typeof block.signature === 'string' && block.signature !== '', `${at}.thinking.signature: Field required`);
    require(play.knowsSignature(block.signature), `${at}: Invalid \`signature\` in \`thinking\` block`);
    require(play.signatures.get(block.signature) ===
      block.thinking, `${at}: \`thinking\` or \`redacted_thinking\` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.`);
  }
}

const blocksOf = (content) => (typeof content === 'string' ? [{ type: 'text', text: content }] : content);

/** Messages with the same role one after the other are one turn. */
function turnsOf(messages) {
  const turns = [];
  for (const { role, content } of messages.filter((message) => message.role !== 'system')) {
    if (turns.at(-1)?.role === role) turns.at(-1).blocks.push(...blocksOf(content));
    else turns.push({ role, blocks: [...blocksOf(content)] });
  }
  return turns;
}

function checkCallsAndResults(turns) {
  const seen = new Set();
  for (const [index, { role, blocks }] of turns.entries()) {
    if (role === 'assistant') {
      const ids = blocks.filter(({ type }) => type === 'tool_use').map(({ id }) => id);
      for (const id of ids) require(!seen.has(id) && seen.add(id), 'messages: `tool_use` ids must be unique');
      const next = turns[index + 1]?.blocks ?? [];
      const firstOther = next.findIndex(({ type }) => type !== 'tool_result');
      const results = (firstOther < 0 ? next : next.slice(0, firstOther)).map((block) => block.tool_use_id);
      const missing = ids.filter((id) => !results.includes(id));
      require(missing.length ===
        0, `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`);
    } else {
      const calls = (turns[index - 1]?.blocks ?? []).filter(({ type }) => type === 'tool_use').map(({ id }) => id);
      const returned = new Set();
      for (const block of blocks.filter(({ type }) => type === 'tool_result')) {
        const id = block.tool_use_id;
        require(calls.includes(
          id,
        ), `messages.${index}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`);
        require(!returned.has(
          id,
        ), `messages.${index}.content: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${id}`);
        returned.add(id);
      }
    }
  }
}

/** With a thinking budget, the last run of tool calls has to begin with the thinking that led to it. */
function checkThinkingComesFirst(turns) {
  let first;
  for (let index = turns.length - 1; index >= 0; index -= 1) {
    const { role, blocks } = turns[index];
    if (!blocks.some(({ type }) => type === (role === 'assistant' ? 'tool_use' : 'tool_result'))) break;
    if (role === 'assistant') first = index;
  }
  if (first === undefined) return;
  const { type } = turns[first].blocks[0];
  require(type === 'thinking' ||
    type ===
      'redacted_thinking', `messages.${first}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${type}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable \`thinking\`.`);
}

/**
 * @param {any} body
 * @param {string} betas
 * @param {import('./play.mjs').Play} play
 */
export function checkTurns(body, betas, play) {
  require(Array.isArray(body.messages) && body.messages.length > 0, 'messages: at least one message is required');
  const system = typeof body.system === 'string' || body.system === undefined ? [] : body.system;
  for (const [index, block] of system.entries()) {
    require(block.type === 'text', `system.${index}.type: Input should be 'text'`);
    require(block.text !== '', 'system: text content blocks must be non-empty');
    checkBlock(block, `system.${index}`, play);
  }
  const roles = /mid-conversation/.test(betas) ? ['user', 'assistant', 'system'] : ['user', 'assistant'];
  for (const [index, message] of body.messages.entries()) {
    const at = `messages.${index}`;
    require(roles.includes(
      message.role,
    ), `${at}.role: Unexpected role "${message.role}". Allowed roles are "user" or "assistant"`);
    const unknown = unknownKey(message, namesOf('role content'));
    require(unknown === undefined, `${at}.${unknown}: Extra inputs are not permitted`);
    const isLast = index === body.messages.length - 1;
    const isEmpty = message.content === '' || (Array.isArray(message.content) && message.content.length === 0);
    require(message.content !== undefined && message.content !== null, `${at}.content: Field required`);
    const mayBeEmpty = isLast && message.role === 'assistant';
    require(!isEmpty ||
      mayBeEmpty, `${at}: all messages must have non-empty content except for the optional final assistant message`);
    for (const [part, block] of blocksOf(message.content).entries()) checkBlock(block, `${at}.content.${part}`, play);
  }
  const turns = turnsOf(body.messages);
  require(turns[0].role === 'user', 'messages: first message must use the "user" role');
  checkCallsAndResults(turns);
  if (body.thinking?.type === 'enabled') checkThinkingComesFirst(turns);
}
