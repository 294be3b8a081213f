import type { ChatRequest } from '../../operations/chat/chat-completion.js';
import { dialectOf } from './dialect.js';
import { toCallOptions, type MappedCall } from './to-call-options.js';

function map(type: string, request: Partial<ChatRequest>, modelId = 'some-model'): MappedCall {
  const whole: ChatRequest = { model: 'client-model', messages: [{ role: 'user', content: 'Hi' }], ...request };
  return toCallOptions(whole, dialectOf(type, modelId), modelId);
}

describe('toCallOptions', () => {
  it('maps what every provider has', () => {
    const { options, dropped } = map('google', {
      max_tokens: 5,
      max_completion_tokens: 7,
      temperature: 0,
      top_p: 0.5,
      top_k: 3,
      seed: 4,
      stop: 'END',
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      n: 2,
      stream: true,
      stream_options: { include_usage: true },
      metadata: { a: 1 },
      strict_params: true,
    });
    expect(options).toMatchObject({
      maxOutputTokens: 7,
      temperature: 0,
      topP: 0.5,
      topK: 3,
      seed: 4,
      stopSequences: ['END'],
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
    });
    expect(dropped).toEqual([]);
  });

  it.each<[string, number]>([
    ['google', 5],
    ['cohere', 5],
    ['azure', 4],
    ['groq', 4],
    ['deepseek', 16],
    ['anthropic', 20],
  ])('sends %s the first %d stop sequences and names the others', (type, limit) => {
    const stop = Array.from({ length: 20 }, (_, index) => `s${index}`);
    const { options, dropped } = map(type, { stop });
    expect(options.stopSequences).toEqual(stop.slice(0, limit));
    expect(dropped).toEqual(stop.slice(limit).map((_, index) => `stop[${limit + index}]`));
  });

  it('takes null for absent, and what changes nothing for nothing', () => {
    const { options, dropped } = map('google', {
      max_tokens: null,
      temperature: null,
      top_p: null,
      stop: [''],
      presence_penalty: 0,
      logit_bias: {},
      logprobs: false,
      store: false,
      service_tier: 'auto',
      modalities: ['text'],
      parallel_tool_calls: true,
      response_format: { type: 'text' },
      reasoning_effort: null,
      user: 'me',
      prompt_cache_key: 'session',
    });
    expect(dropped).toEqual([]);
    const { prompt: _prompt, providerOptions: _options, ...rest } = options;
    expect(Object.values(rest).filter((value: unknown) => value !== undefined)).toEqual([]);
  });

  it('names what a provider cannot take', () => {
    const { dropped } = map('cohere', {
      logprobs: true,
      top_logprobs: 3,
      parallel_tool_calls: false,
      reasoning_effort: 'high',
      tools: [{ type: 'web_search' }, { type: 'function', function: { name: 'f' } }],
      tool_choice: { type: 'allowed_tools' },
      response_format: { type: 'grammar' },
      made_up: 1,
    });
    expect(dropped).toEqual([
      'tools[0]',
      'tool_choice',
      'response_format',
      'reasoning_effort',
      'logprobs',
      'top_logprobs',
      'parallel_tool_calls',
      'made_up',
    ]);
  });

  it('uses the packages’ own names', () => {
    expect(
      map('azure', {
        user: 'me',
        logit_bias: { 5: 1 },
        parallel_tool_calls: false,
        verbosity: 'low',
        prompt_cache_key: 'k',
      }).options.providerOptions,
    ).toEqual({
      openai: {
        user: 'me',
        logitBias: { 5: 1 },
        parallelToolCalls: false,
        textVerbosity: 'low',
        promptCacheKey: 'k',
      },
    });
    const tools = [{ type: 'function', function: { name: 'f' } }];
    expect(
      map('anthropic', { user: 'me', parallel_tool_calls: false, tools }, 'claude-sonnet-4-5').options.providerOptions,
    ).toEqual({ anthropic: { disableParallelToolUse: true, metadata: { userId: 'me' } } });
    expect(
      map('bedrock', { parallel_tool_calls: false, tools }, 'anthropic.claude-sonnet-4-5').options.providerOptions,
    ).toMatchObject({ anthropic: { disableParallelToolUse: true } });
    expect(map('google', { modalities: ['text', 'image'] }).options.providerOptions).toEqual({
      google: { responseModalities: ['TEXT', 'IMAGE'] },
    });
  });

  it('passes unknown fields on where the server is OpenAI-compatible', () => {
    const response_format = { type: 'json_schema', json_schema: { schema: { type: 'object' } } };
    const { options, dropped } = map('together', { min_p: 0.1, top_k: 4, response_format, reasoning_effort: 'low' });
    expect(dropped).toEqual([]);
    expect(options).toMatchObject({
      topK: undefined,
      responseFormat: undefined,
      providerOptions: { togetherai: { min_p: 0.1, top_k: 4, response_format, reasoningEffort: 'low' } },
    });
    expect(
      map('perplexity', { search_mode: 'academic', tools: [{ type: 'function', function: { name: 'f' } }] }),
    ).toMatchObject({
      options: { tools: undefined, providerOptions: { perplexity: { search_mode: 'academic' } } },
      dropped: ['tools'],
    });
  });

  it('maps tools and their choice', () => {
    const parameters = { type: 'object', properties: { a: { type: 'string' } } };
    const tools = [
      { type: 'function', function: { name: 'f', description: 'F', parameters, strict: true } },
      { type: 'function', function: { name: 'g' } },
    ];
    const { options } = map('google', { tools, tool_choice: { type: 'function', function: { name: 'g' } } });
    expect(options.tools).toEqual([
      { type: 'function', name: 'f', description: 'F', inputSchema: parameters, strict: true },
      { type: 'function', name: 'g', inputSchema: { type: 'object', properties: {} } },
    ]);
    expect(options.toolChoice).toEqual({ type: 'tool', toolName: 'g' });
    for (const choice of ['auto', 'none', 'required'] as const) {
      expect(map('google', { tools, tool_choice: choice }).options.toolChoice).toEqual({ type: choice });
    }
    expect(
      map('google', { functions: [{ name: 'f', parameters }], function_call: { name: 'f' } }).options,
    ).toMatchObject({
      tools: [{ name: 'f' }],
      toolChoice: { type: 'tool', toolName: 'f' },
    });
    expect(() => map('google', { tools, tool_choice: { type: 'function', function: { name: 'h' } } })).toThrow(
      expect.objectContaining({ status: 400, param: 'tool_choice' }) as Error,
    );
  });

  it('asks for JSON by a parameter, or in words where there is none', () => {
    const schema = { type: 'object' };
    const json_schema = { name: 'place', description: 'A place', schema };
    expect(map('groq', { response_format: { type: 'json_schema', json_schema } }).options).toMatchObject({
      responseFormat: { type: 'json', schema, name: 'place', description: 'A place' },
      providerOptions: { groq: { strictJsonSchema: false } },
    });
    expect(map('google', { response_format: { type: 'json_object' } }).options.responseFormat).toEqual({
      type: 'json',
    });
    const { options, dropped } = map('anthropic', {
      messages: [
        { role: 'system', content: 'Rules.' },
        { role: 'user', content: 'Hi' },
      ],
      response_format: { type: 'json_object' },
    });
    expect(dropped).toEqual([]);
    expect(options.responseFormat).toBeUndefined();
    expect(options.prompt.map(({ role }) => role)).toEqual(['system', 'system', 'user']);
    expect(options.prompt[1]?.content).toMatch(/JSON/);
    expect(() => map('google', { response_format: { type: 'json_schema' } })).toThrow(
      expect.objectContaining({ status: 400, param: 'response_format.json_schema.schema' }) as Error,
    );
  });

  it('takes thinking out of the request’s own maximum', () => {
    const { options } = map('anthropic', { max_tokens: 10_000, reasoning_effort: 'low' }, 'claude-sonnet-4-5');
    // The package adds the budget again.
    expect(options).toMatchObject({
      maxOutputTokens: 8976,
      providerOptions: { anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } } },
    });
  });
});
