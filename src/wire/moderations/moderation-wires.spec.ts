import type { ModerationRequest } from '../../operations/moderations/moderation-request.js';
import { MistralModerations } from './mistral.js';
import { OpenAiModerations } from './openai.js';

const PARTS = [
  { type: 'text', text: 'what is it' },
  { type: 'image_url', image_url: { url: 'https://example.com/image.png' } },
];

describe("OpenAI's format", () => {
  const wire = new OpenAiModerations('omni-moderation-latest');
  /** As the reference of OpenAI's API has it, with fewer categories. */
  const RESULT = {
    flagged: true,
    categories: { violence: true, sexual: false, illicit: null },
    category_scores: { violence: 0.8599265510337075, sexual: 2.34135824776394e-7 },
    category_applied_input_types: { violence: ['image'], sexual: ['text', 'image'] },
  };
  const RESPONSE = { id: 'modr-0d9740456c391e43c445bf0f010940c7', model: 'omni-moderation-latest', results: [RESULT] };

  it.each<ModerationRequest['input']>(['a', ['a', 'b'], PARTS])('passes %j on', (input) => {
    const request = { model: 'm', input, metadata: { a: 1 }, extra: 1 };
    expect(wire.write(request)).toEqual({
      path: '/moderations',
      body: { model: 'omni-moderation-latest', input, extra: 1 },
    });
  });

  it('reads a result for each text, and one for parts', () => {
    expect(wire.read(JSON.stringify(RESPONSE), { model: 'm', input: PARTS })).toEqual({
      ...RESPONSE,
      tokens: undefined,
    });
    expect(() => wire.read(JSON.stringify(RESPONSE), { model: 'm', input: ['a', 'b'] })).toThrow(
      expect.objectContaining({ status: 502 }) as Error,
    );
  });

  it.each(['', '[]', '{"results":[]}', '{"results":[5]}', '{"results":[{"flagged":false}]}'])('refuses %j', (text) => {
    expect(() => wire.read(text, { model: 'm', input: 'a' })).toThrow(
      expect.objectContaining({ status: 502, code: 'upstream_error' }) as Error,
    );
  });
});

describe("Mistral's format", () => {
  const wire = new MistralModerations('mistral-moderation-latest');
  /** As the documentation of Mistral has it. */
  const RESPONSE = {
    id: '4d71ae510af942108ef7344f903e2b88',
    model: 'mistral-moderation-latest',
    results: [
      {
        categories: {
          sexual: false,
          hate_and_discrimination: false,
          violence_and_threats: true,
          dangerous_and_criminal_content: false,
          selfharm: false,
          health: false,
          financial: false,
          law: false,
          pii: false,
        },
        category_scores: {
          sexual: 0.0011335690505802631,
          hate_and_discrimination: 0.0030753696337342262,
          violence_and_threats: 0.9003569960594177,
          dangerous_and_criminal_content: 0.002262129215523601,
          selfharm: 0.000656,
          health: 0.0005,
          financial: 0.0004,
          law: 0.0003,
          pii: 0.0002,
        },
      },
    ],
    usage: { prompt_tokens: 20, total_tokens: 92, completion_tokens: 72 },
  };

  it('adds what OpenAI clients read: flagged, and the names of its categories', () => {
    const { results, tokens } = wire.read(JSON.stringify(RESPONSE), { model: 'm', input: 'a' });
    expect(tokens).toBe(20);
    expect(results[0]).toMatchObject({
      flagged: true,
      categories: { violence: true, violence_and_threats: true, hate: false, 'self-harm': false, pii: false },
      category_scores: { violence: 0.9003569960594177, illicit: 0.002262129215523601 },
    });
    // Nothing is said of what was not looked for.
    expect(results[0]?.categories).not.toHaveProperty('harassment');
  });

  it('takes texts, and refuses pictures by name', () => {
    expect(wire.write({ model: 'm', input: ['a', 'b'] }).body).toEqual({
      model: 'mistral-moderation-latest',
      input: ['a', 'b'],
    });
    const texts = ['a', 'b'].map((text) => ({ type: 'text', text }));
    expect(wire.write({ model: 'm', input: texts }).body['input']).toBe('a\nb');
    expect(() => wire.write({ model: 'm', input: PARTS })).toThrow(
      expect.objectContaining({ status: 400, param: 'input[1]' }) as Error,
    );
    expect(wire.dropped({ model: 'm', input: 'a', extra: 1, metadata: {} })).toEqual(['extra']);
  });
});
