/** Bodies that work when pasted, against the sandbox. */
export const SPEECH_EXAMPLES = {
  wav: {
    summary: 'A WAV file',
    value: { model: 'sandbox/speech', input: 'Hello from the sandbox.', voice: 'alloy', response_format: 'wav' },
  },
  events: {
    summary: 'Sound as server-sent events',
    value: {
      model: 'sandbox/speech',
      input: 'Hello.',
      voice: 'alloy',
      response_format: 'pcm',
      stream_format: 'sse',
    },
  },
};
