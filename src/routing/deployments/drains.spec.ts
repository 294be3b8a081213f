import fc from 'fast-check';
import { type Drain, Drains } from './drains.js';

const drainOf = (deployment: string, expiresAt: number | null = null): Drain => ({
  deployment,
  reason: null,
  actor: 'admin',
  actorName: 'admin',
  createdAt: 0,
  expiresAt,
});

describe('Drains', () => {
  let now: number;
  let drains: Drains;

  beforeEach(() => {
    now = 1_000;
    drains = new Drains(() => now);
  });

  it.each([
    ['openai/gpt-5-mini', 'openai/GPT-5-mini', true],
    ['local/qwen3:8b', 'local/Qwen3:8B', true],
    ['local/qwen3', 'local/qwen3:latest', true],
    ['local/qwen3:latest', 'local/qwen3', true],
    ['openai/gpt-5-mini#2', 'openai/GPT-5-mini#2', true],
    ['openai/gpt-5-mini', 'openai/gpt-5-mini#2', false],
    ['openai/gpt-5-mini#2', 'openai/gpt-5-mini#3', false],
    ['openai/gpt-5-mini', 'azure/gpt-5-mini', false],
    ['openai/gpt-5-mini', 'OpenAI/gpt-5-mini', false],
    ['router/meta/llama-4', 'router/meta/llama-4', true],
    ['router/meta/llama-4', 'router/llama-4', false],
  ])('%s drained: whether %s is drained is %s', (drained, asked, expected) => {
    drains.replace([drainOf(drained)]);
    expect(drains.has({ id: asked })).toBe(expected);
  });

  it('has the deployment itself, under any name', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (provider, upstreamModel) => {
        const id = `${provider}/${upstreamModel}`;
        drains.replace([drainOf(id)]);
        expect(drains.has({ id })).toBe(true);
        drains.replace([]);
        expect(drains.has({ id })).toBe(false);
      }),
    );
  });

  it('ends by itself at its time', () => {
    drains.replace([drainOf('a/b', 2_000), drainOf('a/c')]);
    now = 1_999;
    expect(drains.all()).toHaveLength(2);
    expect(drains.of('a/b')?.expiresAt).toBe(2_000);
    now = 2_000;
    expect(drains.of('a/b')).toBeUndefined();
    expect(drains.all().map(({ deployment }) => deployment)).toEqual(['a/c']);
  });
});
