import type { ChatMessage } from '../../operations/chat/chat-completion.js';
import { GatewayError } from '../../errors/gateway-error.js';
import { dialectOf } from './dialect.js';
import { toPrompt } from './to-prompt.js';

const ANTHROPIC = dialectOf('anthropic', 'claude-sonnet-4-5');
const GOOGLE = dialectOf('google', 'gemini-2.5-flash');
const MISTRAL = dialectOf('mistral', 'mistral-large');
const DEEPSEEK = dialectOf('deepseek', 'deepseek-chat');
const BEDROCK = dialectOf('bedrock', 'anthropic.claude-sonnet-4-5');

function failure(messages: ChatMessage[], dialect = ANTHROPIC): GatewayError {
  try {
    toPrompt(messages, dialect);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('the messages were taken');
}

describe('toPrompt', () => {
  it('takes developer messages for system messages, and moves later ones to the front where they must be there', () => {
    const messages: ChatMessage[] = [
      { role: 'developer', content: 'One.' },
      { role: 'user', content: 'Hello' },
      {
        role: 'system',
        content: [
          { type: 'text', text: 'Two.' },
          { type: 'text', text: 'Three.' },
        ],
      },
      { role: 'user', content: 'Go on' },
    ];
    expect(toPrompt(messages, GOOGLE)).toEqual([
      { role: 'system', content: 'One.' },
      { role: 'system', content: 'Two.\nThree.' },
      { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
      { role: 'user', content: [{ type: 'text', text: 'Go on' }] },
    ]);
    expect(toPrompt(messages, MISTRAL).map(({ role }) => role)).toEqual(['system', 'user', 'system', 'user']);
  });

  it('takes images, audio and files of a user message', () => {
    const [message] = toPrompt(
      [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/PNG;base64,AAAA', detail: 'low' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a/cat.JPG?x=1' } },
            { type: 'image_url', image_url: { url: 'https://example.com/cat' } },
            { type: 'input_audio', input_audio: { data: 'BBBB', format: 'mp3' } },
            { type: 'file', file: { file_data: 'data:application/pdf;base64,CCCC', filename: 'a.pdf' } },
            { type: 'file', file: { file_data: 'RERERA==', filename: 'notes.txt' } },
            { type: 'file', file: { file_data: 'https://example.com/report.pdf' } },
          ],
        },
      ],
      ANTHROPIC,
    );
    expect(message).toEqual({
      role: 'user',
      content: [
        {
          type: 'file',
          data: 'AAAA',
          mediaType: 'image/png',
          providerOptions: { openai: { imageDetail: 'low' }, cohere: { detail: 'low' } },
        },
        { type: 'file', data: new URL('https://example.com/a/cat.JPG?x=1'), mediaType: 'image/jpeg' },
        { type: 'file', data: new URL('https://example.com/cat'), mediaType: 'image/*' },
        { type: 'file', data: 'BBBB', mediaType: 'audio/mpeg' },
        { type: 'file', data: 'CCCC', mediaType: 'application/pdf', filename: 'a.pdf' },
        { type: 'file', data: Buffer.from('DDDD'), mediaType: 'text/plain', filename: 'notes.txt' },
        { type: 'file', data: new URL('https://example.com/report.pdf'), mediaType: 'application/pdf' },
      ],
    });
  });

  it('joins the results of parallel calls, and knows the names of their tools', () => {
    expect(
      toPrompt(
        [
          { role: 'user', content: 'Weather?' },
          {
            role: 'assistant',
            content: '',
            tool_calls: [
              { id: 'a', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
              { id: 'b', type: 'function', function: { name: 'time', arguments: '' } },
            ],
          },
          { role: 'tool', tool_call_id: 'b', content: 'noon' },
          { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'sun' }] },
        ],
        ANTHROPIC,
      ).slice(1),
    ).toEqual([
      {
        role: 'assistant',
        content: [
          { type: 'tool-call', toolCallId: 'a', toolName: 'weather', input: { city: 'Paris' } },
          { type: 'tool-call', toolCallId: 'b', toolName: 'time', input: {} },
        ],
      },
      {
        role: 'tool',
        content: [
          { type: 'tool-result', toolCallId: 'b', toolName: 'time', output: { type: 'text', value: 'noon' } },
          { type: 'tool-result', toolCallId: 'a', toolName: 'weather', output: { type: 'text', value: 'sun' } },
        ],
      },
    ]);
  });

  it('takes the deprecated function_call and its result', () => {
    expect(
      toPrompt(
        [
          { role: 'assistant', content: null, function_call: { name: 'weather', arguments: '{}' } },
          { role: 'function', name: 'weather', content: 'sun' },
        ],
        ANTHROPIC,
      ),
    ).toEqual([
      {
        role: 'assistant',
        content: [{ type: 'tool-call', toolCallId: 'call_weather', toolName: 'weather', input: {} }],
      },
      {
        role: 'tool',
        content: [
          {
            type: 'tool-result',
            toolCallId: 'call_weather',
            toolName: 'weather',
            output: { type: 'text', value: 'sun' },
          },
        ],
      },
    ]);
  });

  it('sends reasoning back signed, as text, or not at all', () => {
    const messages: ChatMessage[] = [
      {
        role: 'assistant',
        content: 'Yes.',
        reasoning_content: 'Hm.',
        thinking_blocks: [
          { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
          { type: 'redacted_thinking', data: 'secret' },
          { type: 'redacted_thinking', data: 'bytes', encoding: 'bedrock' },
          { type: 'thinking', thinking: 'unsigned' },
          null,
        ],
      },
    ];
    const text = { type: 'text', text: 'Yes.' };
    expect(toPrompt(messages, ANTHROPIC)[0]?.content).toEqual([
      { type: 'reasoning', text: 'Hm.', providerOptions: { anthropic: { signature: 'sig' } } },
      { type: 'reasoning', text: '', providerOptions: { anthropic: { redactedData: 'secret' } } },
      { type: 'reasoning', text: '', providerOptions: { anthropic: { redactedContent: 'bytes' } } },
      text,
    ]);
    expect(toPrompt(messages, BEDROCK)[0]?.content).toContainEqual({
      type: 'reasoning',
      text: '',
      providerOptions: { bedrock: { redactedContent: 'bytes' } },
    });
    expect(toPrompt(messages, DEEPSEEK)[0]?.content).toEqual([{ type: 'reasoning', text: 'Hm.' }, text]);
    expect(toPrompt(messages, GOOGLE)[0]?.content).toEqual([text]);
  });

  it('takes images in tool results, their addresses only where the provider fetches them itself', () => {
    const messages = (url: string): ChatMessage[] => [
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      {
        role: 'tool',
        tool_call_id: 'a',
        content: [
          { type: 'text', text: 'see' },
          { type: 'image_url', image_url: { url } },
        ],
      },
    ];
    expect(toPrompt(messages('data:image/png;base64,AAAA'), GOOGLE)[1]?.content).toMatchObject([
      {
        output: {
          type: 'content',
          value: [
            { type: 'text', text: 'see' },
            { type: 'image-data', data: 'AAAA' },
          ],
        },
      },
    ]);
    expect(toPrompt(messages('https://example.com/a.png'), ANTHROPIC)[1]?.content).toMatchObject([
      {
        output: { type: 'content', value: [{ type: 'text' }, { type: 'image-url', url: 'https://example.com/a.png' }] },
      },
    ]);
    expect(failure(messages('http://169.254.169.254/'), dialectOf('vertex', 'gemini-2.5-pro'))).toMatchObject({
      status: 400,
      code: 'unsupported_value',
      param: 'messages[1].content[1]',
    });
  });

  it('puts a message’s own cache hint on its last part', () => {
    const cache_control = { type: 'ephemeral' };
    const hint = { anthropic: { cacheControl: { type: 'ephemeral' } } };
    const messages: ChatMessage[] = [
      { role: 'system', content: 'Rules.', cache_control },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
        cache_control,
      },
      { role: 'assistant', content: 'c', cache_control },
    ];
    expect(toPrompt(messages, ANTHROPIC)).toEqual([
      { role: 'system', content: 'Rules.', providerOptions: hint },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b', providerOptions: hint },
        ],
      },
      { role: 'assistant', content: [{ type: 'text', text: 'c', providerOptions: hint }] },
    ]);
    expect(JSON.stringify(toPrompt(messages, BEDROCK))).toContain('"bedrock":{"cachePoint":{"type":"default"}}');
    expect(JSON.stringify(toPrompt(messages, GOOGLE))).not.toContain('providerOptions');
  });

  it('leaves out a turn without a word', () => {
    const user: ChatMessage = { role: 'user', content: 'Hi' };
    expect(toPrompt([user, { role: 'assistant', content: '' }, user], GOOGLE).map(({ role }) => role)).toEqual([
      'user',
      'user',
    ]);
  });

  it('keeps a refusal of the model as its words', () => {
    const spoken = [{ role: 'assistant', content: [{ type: 'text', text: 'No.' }] }];
    expect(toPrompt([{ role: 'assistant', content: null, refusal: 'No.' }], ANTHROPIC)).toEqual(spoken);
    expect(toPrompt([{ role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] }], ANTHROPIC)).toEqual(
      spoken,
    );
  });

  it.each<[unknown, object]>([
    ['{"a":1}', { a: 1 }],
    [{ a: 1 }, { a: 1 }],
    [undefined, {}],
    [null, {}],
    ['', {}],
    [' \n', {}],
    [' null ', {}],
    ['{"a":', { INVALID_JSON: '{"a":' }],
    ['[1]', { INVALID_JSON: '[1]' }],
    ['"x"', { INVALID_JSON: '"x"' }],
    [[1, 2], { INVALID_JSON: '[1,2]' }],
    [7, { INVALID_JSON: '7' }],
  ])('sends the arguments %j of an earlier call as %j', (text, input) => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: text } } as never;
    const called = [{ role: 'assistant', content: [{ type: 'tool-call', toolCallId: 'a', toolName: 'f', input }] }];
    expect(toPrompt([{ role: 'assistant', content: null, tool_calls: [call] }], ANTHROPIC)).toEqual(called);
    const legacy = { role: 'assistant', content: null, function_call: { name: 'f', arguments: text } } as never;
    expect(toPrompt([legacy], ANTHROPIC)).toMatchObject([{ content: [{ toolName: 'f', input }] }]);
  });

  it('takes calls of custom tools, and results whose call is no longer in the history', () => {
    const custom = { id: 'c', type: 'custom', custom: { name: 'grep', input: '-r x' } } as never;
    expect(
      toPrompt(
        [
          { role: 'tool', tool_call_id: 'pruned', name: 'now', content: 'noon' },
          { role: 'user', content: 'Search.' },
          { role: 'assistant', content: null, tool_calls: [custom] },
          { role: 'tool', tool_call_id: 'c', content: 'none' },
        ],
        GOOGLE,
      ),
    ).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Result of an earlier tool call of now: noon' }] },
      { role: 'user', content: [{ type: 'text', text: 'Search.' }] },
      {
        role: 'assistant',
        content: [{ type: 'tool-call', toolCallId: 'c', toolName: 'grep', input: { input: '-r x' } }],
      },
      {
        role: 'tool',
        content: [{ type: 'tool-result', toolCallId: 'c', toolName: 'grep', output: { type: 'text', value: 'none' } }],
      },
    ]);
  });

  it('takes thinking as a content part where the provider has a place for it', () => {
    const message = {
      role: 'assistant' as const,
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: 's' },
        { type: 'text', text: 'Yes.' },
      ],
    };
    const said = { type: 'text', text: 'Yes.' };
    const signed = { type: 'reasoning', text: 'Hm.', providerOptions: { anthropic: { signature: 's' } } };
    expect(toPrompt([message], ANTHROPIC)).toEqual([{ role: 'assistant', content: [signed, said] }]);
    expect(toPrompt([message], DEEPSEEK)).toEqual([
      { role: 'assistant', content: [{ type: 'reasoning', text: 'Hm.' }, said] },
    ]);
    expect(failure([message], GOOGLE)).toMatchObject({ param: 'messages[0].content[0]' });
  });

  it.each<[string, ChatMessage[], string]>([
    [
      'a call without a name',
      [{ role: 'assistant', content: null, tool_calls: [{ id: 'a', type: 'function' } as never] }],
      'messages[0].tool_calls[0].function.name',
    ],
    ['a role of its own', [{ role: 'ipython', content: 'y' } as never], 'messages[0].role'],
    ['a part of its own', [{ role: 'user', content: [{ type: 'video_url' }] }], 'messages[0].content[0]'],
    ['messages without content', [{ role: 'user', content: [] }], 'messages'],
    [
      'an uploaded file',
      [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }],
      'messages[0].content[0].file.file_data',
    ],
    [
      'a local file',
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }] }],
      'messages[0].content[0].image_url.url',
    ],
    [
      'a data URL in plain text',
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/svg+xml,<svg/>' } }] }],
      'messages[0].content[0].image_url.url',
    ],
    [
      'an unknown audio format',
      [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'A', format: 'constructor' } }] }],
      'messages[0].content[0].input_audio.format',
    ],
    [
      'an image of the system',
      [{ role: 'system', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,A' } }] }],
      'messages[0].content[0]',
    ],
    [
      'an image of the assistant',
      [{ role: 'assistant', content: [{ type: 'image_url', image_url: {} }] }],
      'messages[0].content[0]',
    ],
  ])('refuses %s and says where', (_fault, messages, param) => {
    expect(failure(messages)).toMatchObject({ status: 400, type: 'invalid_request_error', param });
  });
});
