import { droppedByPackage } from './dropped-params.js';

describe('droppedByPackage', () => {
  it('names every part of the request that a package left out', () => {
    expect(
      droppedByPackage([
        { type: 'unsupported', feature: 'frequencyPenalty' },
        { type: 'unsupported', feature: 'tool choice type: tool' },
        { type: 'unsupported', feature: 'toolContent', details: 'Tool calls and results removed from conversation' },
        { type: 'other', message: 'logprobs is not supported for reasoning models' },
        { type: 'other', message: 'presencePenalty is deprecated by X and has been omitted.' },
        { type: 'unsupported', feature: 'provider-defined tool a.b' },
        { type: 'compatibility', feature: 'adaptive thinking' },
        { type: 'other', message: 'system messages are removed for this model' },
        { type: 'unsupported', feature: 'something new' },
      ]),
    ).toEqual([
      'frequency_penalty',
      'tool_choice',
      'messages',
      'logprobs',
      'presence_penalty',
      'tools',
      'reasoning_effort',
      'something new',
    ]);
  });

  it('names nothing where nothing was lost', () => {
    expect(
      droppedByPackage([
        {
          type: 'other',
          message: "The 'openai-compatible' key in providerOptions is deprecated. Use 'openaiCompatible' instead.",
        },
        { type: 'compatibility', feature: 'object documents', details: 'Object documents are converted to strings.' },
        { type: 'other', message: 'sending reasoning content is disabled for this model' },
      ]),
    ).toEqual([]);
  });
});
