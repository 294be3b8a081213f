const HELLO = { role: 'user', content: 'Where is the station?' };

/** Bodies that work when pasted, against the sandbox. */
export const MESSAGES_EXAMPLES = {
  text: { summary: 'A question', value: { model: 'sandbox/echo', max_tokens: 100, messages: [HELLO] } },
  stream: { summary: 'A stream', value: { model: 'sandbox/echo', max_tokens: 100, stream: true, messages: [HELLO] } },
  system: {
    summary: 'A system prompt with a cache breakpoint',
    value: {
      model: 'sandbox/echo',
      max_tokens: 100,
      system: [{ type: 'text', text: 'You are a guide of the city.', cache_control: { type: 'ephemeral' } }],
      messages: [HELLO],
    },
  },
  tools: {
    summary: 'A tool that must be called',
    value: {
      model: 'sandbox/echo',
      max_tokens: 200,
      tools: [
        {
          name: 'get_weather',
          description: 'The weather of a city.',
          input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        },
      ],
      tool_choice: { type: 'tool', name: 'get_weather' },
      messages: [{ role: 'user', content: 'What is the weather in Oslo?' }],
    },
  },
};

export const COUNT_TOKENS_EXAMPLES = {
  text: { summary: 'A question', value: { model: 'sandbox/echo', messages: [HELLO] } },
};
