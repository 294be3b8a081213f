/** Bodies that work when pasted, against the sandbox. */
export const EMBEDDING_EXAMPLES = {
  one: { summary: 'One text', value: { model: 'sandbox/embed', input: 'Where is the station?' } },
  several: {
    summary: 'Several texts, short vectors',
    value: {
      model: 'sandbox/embed',
      input: ['Where is the station?', 'The station is behind the park.'],
      dimensions: 8,
    },
  },
  base64: {
    summary: 'Vectors as base64',
    value: { model: 'sandbox/embed', input: 'Where is the station?', dimensions: 8, encoding_format: 'base64' },
  },
};
