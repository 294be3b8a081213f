import { ResultTotals } from './result-totals.js';

describe('the totals of a batch', () => {
  it('sum the usage of every endpoint', () => {
    const totals = new ResultTotals();
    for (const usage of [
      {
        prompt_tokens: 10,
        completion_tokens: 4,
        total_tokens: 14,
        prompt_tokens_details: { cached_tokens: 8 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
      {
        input_tokens: 5,
        output_tokens: 2,
        input_tokens_details: { cached_tokens: 1 },
        output_tokens_details: { reasoning_tokens: 1 },
      },
      { prompt_tokens: 7, total_tokens: 7 },
      { prompt_tokens: null, completion_tokens: 'x', prompt_tokens_details: null },
    ]) {
      totals.addUsage(JSON.stringify(usage));
    }
    totals.addUsage('null');
    expect(totals.usage).toEqual({
      input_tokens: 22,
      input_tokens_details: { cached_tokens: 9 },
      output_tokens: 6,
      output_tokens_details: { reasoning_tokens: 4 },
      total_tokens: 28,
    });
    expect(totals.topError).toBeNull();
  });

  it('name the most frequent error, of however many', () => {
    const totals = new ResultTotals();
    for (let index = 0; index < 3_000; index += 1) {
      totals.addError(JSON.stringify({ code: null, type: 'x', message: `m${index}` }));
      if (index < 2) totals.addError(JSON.stringify({ code: 'upstream_error', message: 'Down.' }));
    }
    totals.addError('null');
    expect(totals.topError).toEqual({ code: 'upstream_error', message: 'Down.', count: 2 });
  });
});
