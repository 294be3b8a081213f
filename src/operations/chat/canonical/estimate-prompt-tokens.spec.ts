import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { ANTHROPIC } from '../../../wire/anthropic/anthropic-wire.js';
import { estimatePromptTokens } from './estimate-prompt-tokens.js';

const TEXT = 'The quick brown fox jumps over the lazy dog. '.repeat(20);
const estimate = (body: object) =>
  estimatePromptTokens(ANTHROPIC.readRequest({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...body }));

describe('the estimate of a prompt', () => {
  it('rule 9: counts every kind of block, in every place, and never less than its text has', async () => {
    const none = await estimate({});
    const blocks = [
      { type: 'text', text: TEXT },
      { type: 'search_result', title: 'a', source: 'b', content: [{ type: 'text', text: TEXT }] },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: TEXT } },
      { type: 'document', source: { type: 'content', content: [{ type: 'text', text: TEXT }] } },
      { type: 'tool_result', tool_use_id: 'a', content: TEXT },
      { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: TEXT }] },
      { type: 'web_search_tool_result', tool_use_id: 'a', content: [{ title: TEXT }] },
    ];
    const bodies: object[] = [
      ...blocks.map((block) => ({ messages: [{ role: 'user', content: [block] }] })),
      { messages: [{ role: 'assistant', content: [{ type: 'thinking', thinking: TEXT, signature: 'x' }] }] },
      { messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: { text: TEXT } }] }] },
      { system: TEXT },
      { tools: [{ name: 'f', description: TEXT, input_schema: { type: 'object' } }] },
      { output_config: { format: { type: 'json_schema', schema: { description: TEXT } } } },
    ];
    const least = encode(TEXT).length;
    for (const body of bodies) expect((await estimate(body)) - none).toBeGreaterThanOrEqual(least);
  });

  it('rule 9: images and documents cost what they may cost at most, not what their base64 has', async () => {
    const media = (type: string, mediaType: string, bytes: number) => ({
      messages: [
        {
          role: 'user',
          content: [{ type, source: { type: 'base64', media_type: mediaType, data: 'A'.repeat((bytes * 4) / 3) } }],
        },
      ],
    });
    expect(await estimate(media('image', 'image/png', 900_000))).toBeLessThan(10_000);
    expect(await estimate(media('image', 'image/png', 900_000))).toBeGreaterThan(4_000);
    expect(await estimate(media('document', 'application/pdf', 9_000))).toBeGreaterThan(3_000);
  });
});
