/** Bodies that work when pasted, against the sandbox. */
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
  openai: {
    summary: 'Lines of an OpenAI batch file',
    value: {
      model: 'sandbox/echo',
      tasks: [
        {
          custom_id: 'request-1',
          method: 'POST',
          url: '/v1/chat/completions',
          body: { model: 'sandbox/echo', messages: [{ role: 'user', content: 'Say hello to Ada.' }] },
        },
      ],
    },
  },
};

export const RESULTS_EXAMPLE = {
  index: 0,
  custom_id: 'ada',
  status: 'succeeded',
  response: { status_code: 200, request_id: 'req_3f1c0e8a9b7d4c55', body: { object: 'chat.completion', choices: [] } },
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
