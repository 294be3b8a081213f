import type { ChatEndpointCall } from '../types/chat-format.js';
import { fitInvokeBody, invokeEndpoint, unwrapInvokeEvent } from './claude-on-bedrock.js';
import { CLAUDE_ON_VERTEX_COUNT, fitRawPredictBody, rawPredictEndpoint } from './claude-on-vertex.js';

const call = (fields: Partial<ChatEndpointCall>): ChatEndpointCall => ({
  baseUrl: 'https://cloud.example',
  apiKey: undefined,
  upstreamModel: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  isStream: false,
  wire: 'anthropic',
  headers: {},
  ...fields,
});
const BODY = { model: 'm', stream: true, max_tokens: 5, messages: [], future: { a: 1 } };

describe('Claude on Bedrock', () => {
  it('is reached by InvokeModel, with the betas of the header in the body', () => {
    expect(invokeEndpoint(call({}))).toEqual({ path: '/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke' });
    expect(invokeEndpoint(call({ isStream: true }))).toEqual({
      path: '/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke-with-response-stream',
      framing: 'aws-event-stream',
    });
    const headers = { 'anthropic-beta': 'claude-code-20250219, a-new-beta-2027-01-01,context-management-2025-06-27' };
    expect(fitInvokeBody(BODY, { headers })).toEqual({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 5,
      messages: [],
      future: { a: 1 },
      anthropic_beta: ['a-new-beta-2027-01-01', 'context-management-2025-06-27'],
    });
    expect(fitInvokeBody(BODY, { headers: {} })).not.toHaveProperty('anthropic_beta');
  });

  it('has the events of the Messages API in base64, and failures as events', () => {
    const inner = '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"é"}}';
    const bytes = Buffer.from(inner).toString('base64');
    expect(unwrapInvokeEvent({ event: 'chunk', data: JSON.stringify({ bytes, p: 'abc' }) })).toEqual({
      event: 'content_block_delta',
      data: inner,
    });
    expect(unwrapInvokeEvent({ event: 'throttlingException', data: '{"message":"slow down"}' })).toEqual({
      event: 'error',
      data: '{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}',
    });
    expect(unwrapInvokeEvent({ event: 'a-new-event', data: '{}' })).toBeUndefined();
    expect(unwrapInvokeEvent({ event: 'chunk', data: 'no json' })).toBeUndefined();
  });
});

describe('Claude on Vertex AI', () => {
  it('is reached by rawPredict of its project and location', () => {
    const cloud = { project: 'p', region: 'europe-west1' };
    const root = '/v1/projects/p/locations/europe-west1/publishers/anthropic/models';
    const upstreamModel = 'claude-sonnet-4-5@20250929';
    expect(rawPredictEndpoint(call({ cloud, upstreamModel })).path).toBe(`${root}/${upstreamModel}:rawPredict`);
    expect(rawPredictEndpoint(call({ cloud, upstreamModel, isStream: true })).path).toBe(
      `${root}/${upstreamModel}:streamRawPredict`,
    );
    expect(fitRawPredictBody(BODY)).toEqual({
      anthropic_version: 'vertex-2023-10-16',
      stream: true,
      max_tokens: 5,
      messages: [],
      future: { a: 1 },
    });
    expect(CLAUDE_ON_VERTEX_COUNT.endpoint(call({ cloud }))?.path).toBe(`${root}/count-tokens:rawPredict`);
  });
});
