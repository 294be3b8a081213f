import fc from 'fast-check';
import { normaliseUsage } from './normalise-usage.js';

const counts = { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105 };
const PLACES = ['cached_tokens', 'prompt_cache_hit_tokens', 'num_cached_tokens', 'cache_read_input_tokens'];

describe('tokens that were read from a cache', () => {
  it.each(PLACES)('are found in %s', (name) => {
    expect(normaliseUsage({ ...counts, [name]: 40 })).toMatchObject({ prompt_tokens_details: { cached_tokens: 40 } });
    expect(normaliseUsage({ ...counts, [name]: 40, prompt_tokens_details: { audio_tokens: 1 } })).toMatchObject({
      prompt_tokens_details: { audio_tokens: 1, cached_tokens: 40 },
    });
  });

  it('are those of the place that OpenAI has for them, where it is used', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PLACES), fc.nat(), fc.nat(), (name, beside, own) => {
        const usage = normaliseUsage({ ...counts, [name]: beside, prompt_tokens_details: { cached_tokens: own } });
        expect(usage?.prompt_tokens_details).toEqual({ cached_tokens: own });
      }),
    );
  });

  it.each(['12x', -1, 0.5, null, {}])('are none where the count is %j', (count) => {
    const usage = normaliseUsage({ ...counts, cached_tokens: count });
    expect(usage).toMatchObject(counts);
    expect(usage?.prompt_tokens_details).toBeUndefined();
  });
});
