import { unsupportedEndpoint } from './unsupported-endpoint.js';

describe('unsupportedEndpoint', () => {
  it.each([
    '/v1/responses/resp_1/unknown',
    '/v1/embeddings/x',
    '/v2/embed',
    '/v1/images/variations',
    '/openai/v1/audio/speech',
    '/v1//edits',
    '/v3/rerank',
    '/openai/deployments/x/embeddings?api-version=1',
    '/v1/vector_stores/vs_1/files',
    '/api/tags',
    '/v1/threads',
    '/v1/threads/thread_1/runs',
    '/v1/assistants/asst_1',
    '/v1/organizations/users',
  ])('%s is known elsewhere and not served here', (url) => {
    const { error, body } = unsupportedEndpoint(url, 'req_1') ?? {};
    expect(error).toMatchObject({ status: 404, code: 'unsupported_endpoint' });
    expect(error?.message).toMatch(/^This gateway does not serve \/[^?]+\.$/);
    expect(body).toEqual(error?.toBody());
  });

  it('has the shape that clients of Anthropic and of Gemini read', () => {
    expect(unsupportedEndpoint('/v1/messages/unknown', 'req_1')?.body).toMatchObject({
      type: 'error',
      error: { type: 'not_found_error', code: 'unsupported_endpoint', param: null },
      request_id: 'req_1',
    });
    for (const path of ['/v1/messages/xyz', '/v1/messages/count_tokens/x', '/anthropic/v1/complete']) {
      expect(unsupportedEndpoint(path, 'r')?.body).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
    }
    for (const path of [
      '/v1beta/models/gemini-2.5-pro:generateContent',
      '/v1beta/foo',
      '/v1beta',
      '/v1alpha/anything/at/all',
      '/upload/v1beta/files?uploadType=media',
      '/v1/models/gemini-2.5-pro:batchGenerateContent',
    ]) {
      expect(unsupportedEndpoint(path, 'req_1')?.body).toMatchObject({
        error: { status: 'NOT_FOUND', code: 'unsupported_endpoint' },
      });
    }
  });

  it.each([
    '/',
    '/v1/nothing',
    '/v1/models/embeddings',
    '/v1/models/ft:gpt-4o:org',
    '/v1/batch/files',
    '/health/x',
    '/v1/admin/files',
  ])('%s is no such path', (url) => {
    expect(unsupportedEndpoint(url, 'req_1')).toBeUndefined();
  });
});
