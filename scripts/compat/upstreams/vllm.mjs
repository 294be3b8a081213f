/** OpenAI's chat format as servers of open models have it: nearly. */
import { randomBytes } from 'node:crypto';
import { chatHead, checkResultsFollowCalls, openAiFaults, readChat, routeOfChat, toolCallOf } from './openai-chat.mjs';
import { isObject, Refusal, require } from './refusal.mjs';

/** The chat template of most open models. */
function check(body) {
  require(isObject(body) &&
    Array.isArray(body.messages), "[{'type': 'missing', 'loc': ('body', 'messages'), 'msg': 'Field required'}]");
  for (const [index, { role, content, tool_calls: calls }] of body.messages.entries()) {
    require(['system', 'user', 'assistant', 'tool'].includes(role), 'Unexpected message role.');
    require(role !== 'system' || index === 0, 'System message must be at the beginning.');
    require(role === 'assistant' || (content !== undefined && content !== null), 'content: Field required');
    for (const call of calls ?? []) {
      require(call.type === 'function', "Input should be 'function'");
      const { arguments: text } = call.function;
      let value;
      try {
        value = JSON.parse(text);
      } catch {
        // Refused below.
      }
      require(isObject(value), 'Can only get item pairs from a mapping.');
    }
  }
  for (const tool of body.tools ?? []) require(tool.type === 'function', "Input should be 'function'");
  checkResultsFollowCalls(body.messages);
}

/** Reasoning beside the text, and no usage. */
function write(response, context) {
  const calls = response.calls.map(toolCallOf);
  const message = {
    role: 'assistant',
    content: response.text || null,
    reasoning_content: response.thinking ?? null,
    tool_calls: calls,
  };
  const finish = calls.length > 0 ? 'tool_calls' : 'stop';
  return {
    ...chatHead(context, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish, stop_reason: null }],
    usage: { prompt_tokens: 112, total_tokens: 152, completion_tokens: 40, prompt_tokens_details: null },
    prompt_logprobs: null,
    kv_transfer_params: null,
  };
}

/**
 * Every chunk has a role and a finish reason, parallel calls share index 0, a call comes whole, the last chunk has no
 * usage, and after a comment the lines end as on Windows.
 */
function* stream(response, context) {
  const head = chatHead(context, 'chat.completion.chunk');
  const finish = response.calls.length > 0 ? 'tool_calls' : 'stop';
  const chunk = (delta) =>
    `data:${JSON.stringify({ ...head, choices: [{ index: 0, delta: { role: 'assistant', ...delta }, finish_reason: finish, stop_reason: null }] })}\r\n\r\n`;
  yield ': keep-alive\r\n\r\n';
  for (const text of response.thinking?.match(/.{1,6}/gs) ?? []) yield chunk({ content: '', reasoning_content: text });
  for (const text of response.text.match(/.{1,6}/gs) ?? []) yield chunk({ content: text });
  for (const call of response.calls) yield chunk({ content: null, tool_calls: [{ index: 0, ...toolCallOf(call) }] });
  yield chunk({ content: '' });
  yield 'data: [DONE]\r\n\r\n';
}

/** @type {import('./server.mjs').Format} */
export const vllm = {
  name: 'vllm',
  route: routeOfChat,
  check,
  read: readChat,
  newId: () => `chatcmpl-tool-${randomBytes(16).toString('hex')}`,
  write,
  stream,
  streamType: 'text/event-stream; charset=utf-8',
  error: ({ message, status }) => ({
    body: { object: 'error', message, type: 'BadRequestError', param: null, code: status },
  }),
  faults: {
    ...openAiFaults,
    overflow: () =>
      new Refusal(
        "This model's maximum context length is 32768 tokens. However, you requested 210000 tokens (206000 in the messages, 4000 in the completion). Please reduce the length of the messages or completion.",
      ),
  },
};
