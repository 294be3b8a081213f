/** Bodies that work when pasted, against the sandbox. */
export const RERANK_EXAMPLES = {
  texts: {
    summary: 'The best of several texts',
    value: {
      model: 'sandbox/rerank',
      query: 'Where is the station?',
      documents: ['The bakery opens at six.', 'The station is behind the park.', 'Bring an umbrella.'],
      top_n: 1,
      return_documents: true,
    },
  },
  objects: {
    summary: 'Objects, compared by some of their fields',
    value: {
      model: 'sandbox/rerank',
      query: 'Where is the station?',
      documents: [
        { title: 'Bakery', text: 'It opens at six.' },
        { title: 'Station', text: 'It is behind the park.' },
      ],
      rank_fields: ['title', 'text'],
    },
  },
};
