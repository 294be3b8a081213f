import type { JsonEndpoint } from './json-endpoint.js';
import { JsonEndpoints } from './json-endpoints.js';

const PATHS = ['/v1/completions', '/v1/chat/completions', '/v1/messages', '/v1/rerank', '/v2/rerank'];

describe('the endpoints of JSON', () => {
  const endpoints = new JsonEndpoints();
  for (const path of PATHS) endpoints.add({ path, operation: 'chat', dialect: path } as unknown as JsonEndpoint);

  it.each([
    ['/v1/chat/completions', '/v1/chat/completions'],
    ['/v1/completions', '/v1/completions'],
    ['chat/completions', '/v1/chat/completions'],
    ['/chat/completions/', '/v1/chat/completions'],
    ['https://api.openai.com/v1/completions?x=1', '/v1/completions'],
    ['https://example.com/openai/deployments/a/chat/completions?api-version=1', '/v1/chat/completions'],
    ['/v2/rerank', '/v2/rerank'],
    ['/rerank', '/v1/rerank'],
    ['//v1//messages'.replace('//messages', '/messages'), '/v1/messages'],
  ])('%s is %s', (url, path) => {
    expect(endpoints.at(url)?.path).toBe(path);
  });

  it.each(['', '/', '/v1', '/v1/messages/count_tokens', '/v1/xmessages', 'messages/batches', '/v1/images/generations'])(
    '%j is none of them',
    (url) => {
      expect(endpoints.at(url)).toBeUndefined();
    },
  );

  it('are found by what a stored task says', () => {
    expect(endpoints.of('chat', '/v1/messages')?.path).toBe('/v1/messages');
    expect(endpoints.of('chat', null)).toBeUndefined();
    expect(endpoints.of('__proto__', null)).toBeUndefined();
  });

  it('names its paths in order', () => {
    expect(endpoints.paths).toEqual([...PATHS].sort());
  });
});
