const HELLO = { role: 'user', parts: [{ text: 'Where is the station?' }] };

/** Bodies that work when pasted, against the sandbox. */
export const GENERATE_EXAMPLES = {
  text: { summary: 'A question', value: { contents: [HELLO] } },
  settings: {
    summary: 'Instructions and settings',
    value: {
      systemInstruction: { parts: [{ text: 'You are a guide of the city.' }] },
      contents: [HELLO],
      generationConfig: { maxOutputTokens: 100, temperature: 0.5 },
    },
  },
  tools: {
    summary: 'A function that must be called',
    value: {
      contents: [{ role: 'user', parts: [{ text: 'What is the weather in Oslo?' }] }],
      tools: [
        {
          functionDeclarations: [
            {
              name: 'get_weather',
              description: 'The weather of a city.',
              parameters: { type: 'OBJECT', properties: { city: { type: 'STRING' } }, required: ['city'] },
            },
          ],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: 'ANY' } },
    },
  },
};

export const COUNT_EXAMPLES = { text: { summary: 'A question', value: { contents: [HELLO] } } };

export const EMBED_EXAMPLES = {
  one: {
    summary: 'A text, a short vector',
    value: { content: { parts: [{ text: 'A station' }] }, outputDimensionality: 8 },
  },
};

export const BATCH_EMBED_EXAMPLES = {
  two: {
    summary: 'Two texts',
    value: {
      requests: [{ content: { parts: [{ text: 'A station' }] } }, { content: { parts: [{ text: 'A park' }] } }],
    },
  },
};
