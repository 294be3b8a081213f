/** Requests for Swagger; each works on the sandbox. */
export const RESPONSE_EXAMPLES = {
  text: { summary: 'A text', value: { model: 'sandbox/echo', input: 'Say hello to Ada.' } },
  stream: { summary: 'A stream of events', value: { model: 'sandbox/echo', input: 'Say hello to Ada.', stream: true } },
  items: {
    summary: 'A conversation',
    value: {
      model: 'sandbox/echo',
      instructions: 'You are brief.',
      input: [
        { role: 'user', content: 'Say hello to Ada.' },
        { role: 'assistant', content: 'Hello, Ada.' },
        { role: 'user', content: [{ type: 'input_text', text: 'And to Grace.' }] },
      ],
    },
  },
  tool: {
    summary: 'A call of a function',
    value: {
      model: 'sandbox/echo',
      tool_choice: 'required',
      input: 'What is the weather in Paris?',
      tools: [
        {
          type: 'function',
          name: 'get_weather',
          description: 'Current weather of a city.',
          parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        },
      ],
    },
  },
};

export const COMPACT_EXAMPLES = {
  conversation: {
    summary: 'A conversation',
    value: {
      model: 'sandbox/echo',
      input: [
        { role: 'user', content: 'Say hello to Ada.' },
        { role: 'assistant', content: 'Hello, Ada.' },
      ],
    },
  },
};

export const INPUT_TOKENS_EXAMPLES = {
  text: { summary: 'A text', value: { model: 'sandbox/echo', input: 'Say hello to Ada.' } },
};

export const STREAM_EXAMPLE = [
  'event: response.created',
  'data: {"type":"response.created","response":{"id":"resp_3f1c","object":"response","status":"in_progress","output":[]},"sequence_number":0}',
  '',
  'event: response.output_text.delta',
  'data: {"type":"response.output_text.delta","item_id":"msg_3f1c","output_index":0,"content_index":0,"delta":"Hello","logprobs":[],"sequence_number":4}',
  '',
  'event: response.completed',
  'data: {"type":"response.completed","response":{"id":"resp_3f1c","object":"response","status":"completed","output":[]},"sequence_number":8}',
  '',
].join('\n');
