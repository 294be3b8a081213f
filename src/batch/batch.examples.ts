/** Bodies that work when pasted, against the sandbox; the one with a bucket needs a bucket in `batch.output_buckets`. */
export const BATCH_EXAMPLES = {
  prompts: {
    summary: 'Plain prompts',
    value: { model: 'sandbox/echo', tasks: ['Say hello to Ada.', 'Say hello to Grace.'] },
  },
  requests: {
    summary: 'Chat requests with ids of your own',
    value: {
      model: 'sandbox/echo',
      max_tokens: 50,
      tasks: [
        { custom_id: 'ada', messages: [{ role: 'user', content: 'Say hello to Ada.' }] },
        { custom_id: 'lorem', model: 'sandbox/lorem', messages: [{ role: 'user', content: 'Go on.' }], max_tokens: 5 },
      ],
      batch_metadata: { run: 7 },
    },
  },
  bounds: {
    summary: 'Bounds: when and how fast tasks run',
    value: {
      model: 'sandbox/echo',
      tasks: ['Say hello to Ada.', 'Say hello to Ada.', 'Say hello to Grace.'],
      concurrency: 10,
      rate: { requests_per_minute: 600, tokens_per_minute: 200000 },
      windows: ['00:00-24:00 Europe/Berlin'],
      dedupe: true,
      order: 'prefix',
    },
  },
  cheapest: {
    summary: "At the provider's batch price, as far as the deadline allows",
    value: {
      model: 'sandbox/echo',
      pricing: 'cheapest',
      expires_in: 86_400,
      tasks: ['Say hello to Ada.', 'Say hello to Grace.'],
    },
  },
  bucket: {
    summary: 'Results that are written to a bucket, which the operator has allowed',
    value: {
      model: 'sandbox/echo',
      tasks: ['Say hello to Ada.', 'Say hello to Grace.'],
      output: { s3: { bucket: 'batch-results', key: 'results/greetings.jsonl' } },
    },
  },
  openai: {
    summary: 'Lines of an OpenAI batch file, of several endpoints',
    value: {
      model: 'sandbox/echo',
      tasks: [
        {
          custom_id: 'request-1',
          method: 'POST',
          url: '/v1/chat/completions',
          body: { model: 'sandbox/echo', messages: [{ role: 'user', content: 'Say hello to Ada.' }] },
        },
        {
          custom_id: 'request-2',
          method: 'POST',
          url: '/v1/responses',
          body: { model: 'sandbox/echo', input: 'Say hello to Grace.' },
        },
        {
          custom_id: 'request-3',
          method: 'POST',
          url: '/v1/embeddings',
          body: { model: 'sandbox/embed', input: 'The quick brown fox' },
        },
      ],
    },
  },
  anthropic: {
    summary: "Lines of Anthropic's batches",
    value: {
      model: 'sandbox/echo',
      tasks: [
        {
          custom_id: 'message-1',
          params: {
            model: 'sandbox/echo',
            max_tokens: 50,
            system: 'Be brief.',
            messages: [{ role: 'user', content: 'Say hello to Ada.' }],
          },
        },
      ],
    },
  },
  messages: {
    summary: 'Requests of /v1/messages',
    value: {
      endpoint: '/v1/messages',
      model: 'sandbox/echo',
      max_tokens: 50,
      tasks: [
        'Say hello to Ada.',
        { custom_id: 'grace', messages: [{ role: 'user', content: 'Say hello to Grace.' }] },
      ],
    },
  },
  responses: {
    summary: 'Requests of /v1/responses',
    value: {
      endpoint: '/v1/responses',
      model: 'sandbox/echo',
      tasks: ['Say hello to Ada.', { custom_id: 'grace', input: 'Say hello to Grace.', store: false }],
    },
  },
  completions: {
    summary: 'Requests of /v1/completions',
    value: { endpoint: '/v1/completions', model: 'sandbox/echo', tasks: [{ prompt: 'Once upon a time' }] },
  },
  embeddings: {
    summary: 'Requests of /v1/embeddings',
    value: {
      endpoint: '/v1/embeddings',
      model: 'sandbox/embed',
      tasks: ['The quick brown fox', { custom_id: 'two', input: ['one', 'two'] }],
    },
  },
  rerank: {
    summary: 'Requests of /v1/rerank',
    value: {
      endpoint: '/v1/rerank',
      model: 'sandbox/rerank',
      tasks: [{ custom_id: 'capitals', query: 'capital of France', documents: ['Paris', 'Berlin'] }],
    },
  },
  moderations: {
    summary: 'Requests of /v1/moderations',
    value: { endpoint: '/v1/moderations', model: 'sandbox/moderate', tasks: ['Have a nice day.'] },
  },
};

export const RESULTS_EXAMPLE = {
  index: 0,
  custom_id: 'ada',
  status: 'succeeded',
  response: {
    status_code: 200,
    request_id: 'req_3f1c0e8a9b7d4c55',
    body: {
      id: 'chatcmpl-3f1c0e8a9b7d4c55',
      object: 'chat.completion',
      created: 1767225600,
      model: 'sandbox/echo',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Say hello to Ada.', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
    },
  },
  error: null,
  attempts: 1,
  usage: { prompt_tokens: 4, completion_tokens: 4, total_tokens: 8 },
};

export const EVENTS_EXAMPLE = [
  'data: {"job_id":"batch_68f0c1d2a3b4c5d6e7f80912","status":"in_progress","task_count":2,"completed_count":1,"failed_count":0}',
  '',
  'data: {"job_id":"batch_68f0c1d2a3b4c5d6e7f80912","status":"completed","task_count":2,"completed_count":2,"failed_count":0}',
  '',
  'data: [DONE]',
  '',
  '',
].join('\n');

/** Bodies that work when pasted, for a batch with a task that failed. */
export const RETRY_EXAMPLES = {
  failed: { summary: 'Tasks that failed or expired', value: {} },
  slowly: { summary: 'Tasks that failed, more slowly', value: { statuses: ['failed'], concurrency: 2 } },
};
