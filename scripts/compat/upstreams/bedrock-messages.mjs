/** Which histories Converse refuses, of itself or because Claude refuses them. */
import { isObject, namesOf, require, unknownKey } from './refusal.mjs';

const BLOCKS = namesOf(
  'text image document video audio toolUse toolResult guardContent cachePoint reasoningContent citationsContent searchResult',
);
const MAX_CACHE_POINTS = 4;

function checkBlock(block, at, play) {
  const kinds = Object.keys(block);
  require(kinds.length === 1 &&
    BLOCKS.has(
      kinds[0],
    ), `The format of the value at ${at} is invalid. Provide a json object for the field and try again.`);
  const { text, toolUse, toolResult, reasoningContent } = block;
  if (text !== undefined) {
    require(typeof text === 'string' &&
      text.trim() !==
        '', `The text field in the ContentBlock object at ${at} is blank. Add text to the text field, and try again.`);
  } else if (toolUse !== undefined) {
    require(/^[a-zA-Z0-9_.:-]{1,64}$/.test(
      toolUse.toolUseId,
    ), `1 validation error detected: Value '${toolUse.toolUseId}' at '${at}.member.toolUse.toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.:-]+`);
    require(/^[a-zA-Z0-9_-]{1,64}$/.test(
      toolUse.name,
    ), `1 validation error detected: Value '${toolUse.name}' at '${at}.member.toolUse.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+`);
    require(isObject(
      toolUse.input,
    ), `The format of the value at ${at}.toolUse.input is invalid. Provide a json object for the field and try again.`);
  } else if (toolResult !== undefined) {
    require(Array.isArray(toolResult.content) &&
      toolResult.content.length >
        0, `The content field at ${at}.toolResult is empty. Add a ContentBlock and try again.`);
    for (const part of toolResult.content) {
      const isBlank = part.text !== undefined && part.text === '';
      require(!isBlank, `The text field in the ToolResultContentBlock object at ${at} is blank. Add text to the text field, and try again.`);
    }
  } else if (reasoningContent?.reasoningText !== undefined) {
    const { text: thought, signature } = reasoningContent.reasoningText;
    require(typeof signature === 'string' &&
      signature !== '', `The model returned the following errors: ${at}.thinking.signature: Field required`);
    require(play.knowsSignature(
      signature,
    ), `The model returned the following errors: ${at}: Invalid \`signature\` in \`thinking\` block`);
    require(play.signatures.get(signature) ===
      thought, `The model returned the following errors: ${at}: \`thinking\` or \`redacted_thinking\` blocks in the latest assistant message cannot be modified.`);
  }
}

const idsOf = (message, kind) =>
  (message?.content ?? []).filter((block) => block[kind] !== undefined).map((block) => block[kind].toolUseId);

function checkCallsAndResults(messages) {
  for (const [index, message] of messages.entries()) {
    const calls = idsOf(message, 'toolUse');
    const results = idsOf(messages[index + 1], 'toolResult');
    const missing = calls.filter((id) => !results.includes(id));
    require(missing.length ===
      0, `Expected toolResult blocks at messages.${index + 1}.content for the following Ids: ${missing.join(', ')}`);
    const own = idsOf(message, 'toolResult');
    const before = idsOf(messages[index - 1], 'toolUse');
    const strangers = own.filter((id) => !before.includes(id));
    require(strangers.length === 0 &&
      own.length <=
        before.length, `The number of toolResult blocks at messages.${index}.content exceeds the number of toolUse blocks of previous turn.`);
    require(new Set(own).size ===
      own.length, `The toolResult blocks at messages.${index}.content contain duplicate Ids: ${own.join(', ')}`);
  }
}

function checkThinkingComesFirst(messages) {
  let first;
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    const isAssistant = messages[index].role === 'assistant';
    if (idsOf(messages[index], isAssistant ? 'toolUse' : 'toolResult').length === 0) break;
    if (isAssistant) first = index;
  }
  if (first === undefined) return;
  const [kind] = Object.keys(messages[first].content[0]);
  require(kind ===
    'reasoningContent', `The model returned the following errors: messages.${first}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${kind === 'toolUse' ? 'tool_use' : kind}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks).`);
}

/**
 * @param {any} body
 * @param {import('./play.mjs').Play} play
 */
export function checkMessages(body, play) {
  const { messages, system = [] } = body;
  for (const [index, block] of system.entries()) {
    require(block.text === undefined ||
      block.text.trim() !==
        '', `The text field in the SystemContentBlock object at system.${index} is blank. Add text to the text field, and try again.`);
  }
  for (const [index, message] of messages.entries()) {
    const unknown = unknownKey(message, namesOf('role content'));
    require(unknown ===
      undefined, `Malformed input request: #/messages/${index}: extraneous key [${unknown}] is not permitted, please reformat your input and try again.`);
    require(['user', 'assistant'].includes(
      message.role,
    ), `1 validation error detected: Value '${message.role}' at 'messages.${index + 1}.member.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant]`);
    require(Array.isArray(message.content) &&
      message.content.length >
        0, `The content field in the Message object at messages.${index} is empty. Add a ContentBlock object to the content field and try again.`);
    for (const [place, block] of message.content.entries())
      checkBlock(block, `messages.${index}.content.${place}`, play);
    const isRepeated = messages[index - 1]?.role === message.role;
    require(!isRepeated, 'A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.');
  }
  require(messages[0].role ===
    'user', 'A conversation must start with a user message. Try again with a conversation that starts with a user message.');
  checkCallsAndResults(messages);
  if (body.additionalModelRequestFields?.thinking?.type === 'enabled') checkThinkingComesFirst(messages);
  const points = JSON.stringify([body.toolConfig, system, messages]).match(/"cachePoint":/g)?.length ?? 0;
  require(points <=
    MAX_CACHE_POINTS, `The model returned the following errors: A maximum of 4 blocks with cache_control may be provided. Found ${points}.`);
}
