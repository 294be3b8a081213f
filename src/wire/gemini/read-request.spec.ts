import fc from 'fast-check';
import { GatewayError } from '../../errors/gateway-error.js';
import { parseExact } from '../../runtime/exact-integers.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { GEMINI } from './gemini-wire.js';
import { snakeCase } from './spelling.js';

const read = (body: JsonObject) => GEMINI.readRequest({ model: 'm', ...body });

/** A turn of gemini-cli: a call with a lost signature, its result, and a picture. */
const AGENT: JsonObject = {
  contents: [
    {
      role: 'user',
      parts: [{ text: 'say hi to @a.png' }, { inlineData: { data: 'iVBORw0KGgo=', mimeType: 'image/png' } }],
    },
    {
      role: 'model',
      parts: [
        {
          functionCall: { id: 'run_shell_command_1_0', name: 'run_shell_command', args: { command: 'echo hi' } },
          thoughtSignature: 'skip_thought_signature_validator',
        },
      ],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { id: 'run_shell_command_1_0', name: 'run_shell_command', response: { output: 'hi' } } },
        { text: 'and now?' },
      ],
    },
  ],
  systemInstruction: { role: 'user', parts: [{ text: 'You are an agent.' }] },
  tools: [
    {
      functionDeclarations: [
        {
          name: 'run_shell_command',
          description: 'Runs a command',
          parametersJsonSchema: { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] },
        },
      ],
    },
    { googleSearch: {} },
  ],
  toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['run_shell_command'] } },
  safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
  generationConfig: {
    temperature: 1,
    topP: 0.95,
    topK: 64,
    maxOutputTokens: 8192,
    candidateCount: 2,
    stopSequences: ['END'],
    responseMimeType: 'application/json',
    responseJsonSchema: { type: 'OBJECT', properties: { score: { type: 'INTEGER' } }, required: ['score'] },
    thinkingConfig: { includeThoughts: true, thinkingLevel: 'HIGH' },
    mediaResolution: 'MEDIA_RESOLUTION_LOW',
  },
};

/** Every name in the other spelling, but for what clients name themselves. */
function inSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inSnakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      snakeCase(key),
      ['args', 'response', 'properties'].includes(key) ? (each as unknown) : inSnakeCase(each),
    ]),
  );
}

describe('requests of clients of Gemini', () => {
  it('reads a turn of an agent', () => {
    expect(read(AGENT)).toEqual({
      model: 'm',
      messages: [
        { role: 'system', blocks: [{ type: 'text', text: 'You are an agent.' }] },
        {
          role: 'user',
          blocks: [
            { type: 'text', text: 'say hi to @a.png' },
            { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'iVBORw0KGgo=' } },
          ],
        },
        {
          role: 'assistant',
          blocks: [
            {
              type: 'tool_call',
              id: 'run_shell_command_1_0',
              name: 'run_shell_command',
              kind: 'function',
              input: '{"command":"echo hi"}',
              signature: { wire: 'gemini', value: 'skip_thought_signature_validator' },
            },
          ],
        },
        {
          role: 'tool',
          blocks: [
            {
              type: 'tool_result',
              callId: 'run_shell_command_1_0',
              kind: 'function',
              content: [{ type: 'text', text: 'hi' }],
            },
          ],
        },
        { role: 'user', blocks: [{ type: 'text', text: 'and now?' }] },
      ],
      tools: [
        {
          type: 'function',
          name: 'run_shell_command',
          description: 'Runs a command',
          parameters: { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] },
        },
        { type: 'hosted', wire: 'gemini', name: 'googleSearch', value: { googleSearch: {} }, place: 'tools[1]' },
      ],
      toolChoice: { type: 'tool', name: 'run_shell_command' },
      temperature: 1,
      topP: 0.95,
      topK: 64,
      maxOutputTokens: 8192,
      choices: 2,
      stop: ['END'],
      responseFormat: {
        type: 'json_schema',
        schema: { type: 'object', properties: { score: { type: 'integer' } }, required: ['score'] },
      },
      reasoning: { effort: 'high', isShown: true },
      extras: {
        gemini: {
          safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
          'generationConfig.mediaResolution': 'MEDIA_RESOLUTION_LOW',
        },
      },
    });
  });

  it('reads both spellings of every name alike', () => {
    expect(read(inSnakeCase(AGENT) as JsonObject)).toEqual(read(AGENT));
  });

  it('results without ids belong to the first open call of their function', () => {
    const { messages } = read({
      contents: [
        { parts: [{ text: 'go' }] },
        {
          role: 'model',
          parts: [{ functionCall: { name: 'a' } }, { functionCall: { name: 'b' } }, { functionCall: { name: 'a' } }],
        },
        {
          role: 'function',
          parts: ['b', 'a', 'a'].map((name, index) => ({
            functionResponse: { name, response: { result: String(index) } },
          })),
        },
      ],
    });
    const ids = messages[1]?.blocks.map((block) => (block.type === 'tool_call' ? block.id : ''));
    expect(new Set(ids).size).toBe(3);
    expect(messages[2]?.blocks.map((block) => (block.type === 'tool_result' ? block.callId : ''))).toEqual([
      ids?.[1],
      ids?.[0],
      ids?.[2],
    ]);
  });

  it.each([
    [{ output: 'x' }, [{ type: 'text', text: 'x' }], undefined],
    [{ content: 'x' }, [{ type: 'text', text: 'x' }], undefined],
    [{ error: 'no' }, [{ type: 'text', text: 'no' }], true],
    [{ a: 1, b: 2 }, [{ type: 'text', text: '{"a":1,"b":2}' }], undefined],
    [{ output: { id: 5 } }, [{ type: 'text', text: '{"output":{"id":5}}' }], undefined],
    [{}, [], undefined],
  ])('reads the result %j', (response, content, isError) => {
    const { messages } = read({ contents: [{ role: 'user', parts: [{ functionResponse: { name: 'f', response } }] }] });
    expect(messages[0]?.blocks[0]).toMatchObject({ content });
    expect((messages[0]?.blocks[0] as { isError?: boolean }).isError).toBe(isError);
  });

  it('reads pictures within results, files, and what only Google knows', () => {
    const { messages } = read({
      contents: [
        {
          role: 'user',
          parts: [
            {
              functionResponse: {
                name: 'f',
                response: {},
                parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }],
              },
            },
            {
              fileData: {
                fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc',
                mimeType: 'application/pdf',
              },
            },
            { fileData: { fileUri: 'https://www.youtube.com/watch?v=1' }, videoMetadata: { fps: 2 } },
            { fileData: { fileUri: 'gs://bucket/a.mp3' } },
            { executableCode: { language: 'PYTHON', code: '1' } },
          ],
        },
      ],
    });
    expect(messages[0]?.blocks[0]).toMatchObject({ content: [{ type: 'image' }] });
    expect(messages[1]?.blocks).toMatchObject([
      { type: 'file', source: { kind: 'file', mediaType: 'application/pdf' } },
      { type: 'video', source: { kind: 'url' }, extras: { gemini: { videoMetadata: { fps: 2 } } } },
      { type: 'audio', source: { kind: 'url', mediaType: 'audio/mpeg' } },
      { type: 'opaque', wire: 'gemini', name: 'executableCode' },
    ]);
  });

  it('keeps every digit of arguments, and takes numbers in strings', () => {
    const body = parseExact(
      '{"model":"m","contents":{"role":"model","parts":{"functionCall":{"name":"f","args":{"id":9007199254740993}}}},"generationConfig":{"maxOutputTokens":"100","seed":7}}',
    ) as JsonObject;
    const { messages, maxOutputTokens, seed } = GEMINI.readRequest(body);
    expect(messages[0]?.blocks[0]).toMatchObject({ input: '{"id":9007199254740993}' });
    expect([maxOutputTokens, seed]).toEqual([100, 7]);
  });

  it.each([
    [{ thinkingLevel: 'THINKING_LEVEL_UNSPECIFIED', includeThoughts: true }, { isShown: true }],
    [{ thinkingBudget: -1 }, { isAdaptive: true }],
    [{ thinkingBudget: 0 }, { budgetTokens: 0 }],
    [
      { thinking_budget: 512, thinking_level: 'low' },
      { budgetTokens: 512, effort: 'low' },
    ],
  ])('reads thinking %j', (thinkingConfig, reasoning) => {
    expect(read({ contents: [{ parts: [{ text: 'x' }] }], generationConfig: { thinkingConfig } }).reasoning).toEqual(
      reasoning,
    );
  });

  it.each<[JsonObject, string]>([
    [{}, 'contents'],
    [{ contents: [] }, 'contents'],
    [{ contents: 'x' }, 'contents'],
    [{ contents: [5] }, 'contents[0]'],
    [{ contents: [{ role: 'robot', parts: [] }] }, 'contents[0].role'],
    [{ contents: [{ parts: [{}] }] }, 'contents[0].parts[0]'],
    [{ contents: [{ parts: [{ inline_data: { data: 'AA==' } }] }] }, 'contents[0].parts[0].inline_data.mimeType'],
    [{ contents: [{ parts: [{ inlineData: { mimeType: 'image/png' } }] }] }, 'contents[0].parts[0].inlineData.data'],
    [{ contents: [{ parts: [{ functionCall: {} }] }] }, 'contents[0].parts[0].functionCall.name'],
    [{ contents: [{ parts: [{ text: 5 }] }] }, 'contents[0].parts[0].text'],
    [
      {
        contents: [{ parts: [{ text: 'x' }] }],
        system_instruction: { parts: [{ inlineData: { mimeType: 'a/b', data: 'x' } }] },
      },
      'system_instruction.parts[0]',
    ],
    [
      { contents: [{ parts: [{ text: 'x' }] }], tools: [{ functionDeclarations: [{}] }] },
      'tools[0].functionDeclarations[0].name',
    ],
    [{ contents: [{ parts: [{ text: 'x' }] }], generation_config: { top_p: 'much' } }, 'generation_config.top_p'],
    [
      { contents: [{ parts: [{ text: 'x' }] }], toolConfig: { functionCallingConfig: { mode: 'SOME' } } },
      'toolConfig.functionCallingConfig.mode',
    ],
  ])('names the fault of %j', (body, param) => {
    expect(() => read(body)).toThrow(expect.objectContaining({ status: 400, param }) as Error);
  });

  it('no body makes it crash', () => {
    const keys = fc.constantFrom(
      ...[
        'contents',
        'parts',
        'role',
        'text',
        'inlineData',
        'inline_data',
        'functionCall',
        'functionResponse',
        'response',
      ],
      ...[
        'args',
        'name',
        'id',
        'tools',
        'functionDeclarations',
        'parameters',
        'type',
        'generationConfig',
        'thinkingConfig',
      ],
      ...[
        'systemInstruction',
        'toolConfig',
        'functionCallingConfig',
        'mode',
        'fileData',
        'fileUri',
        'thoughtSignature',
      ],
    );
    const { node } = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom<unknown>(null, 'x', 5, true, 'user', 'OBJECT'),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(keys, tie('node'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(keys, node, { maxKeys: 5 }), (body) => {
        try {
          GEMINI.readRequest(body);
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
