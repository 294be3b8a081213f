/** Bodies that work when pasted, against the sandbox. */
export const MODERATION_EXAMPLES = {
  text: { summary: 'One text', value: { model: 'sandbox/moderate', input: 'I want to kill them.' } },
  texts: {
    summary: 'Several texts',
    value: { model: 'sandbox/moderate', input: ['Where is the station?', 'I want to kill them.'] },
  },
  parts: {
    summary: 'A text with a picture',
    value: {
      model: 'sandbox/moderate',
      input: [
        { type: 'text', text: 'Where is this?' },
        { type: 'image_url', image_url: { url: 'https://example.com/station.png' } },
      ],
    },
  },
};
