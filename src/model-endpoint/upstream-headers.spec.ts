import { upstreamHeaders } from './upstream-headers.js';

describe('upstreamHeaders', () => {
  it('passes on the allow-list alone', () => {
    expect(
      upstreamHeaders({
        authorization: 'Bearer gw_secret',
        'x-api-key': 'gw_secret',
        cookie: 'a=b',
        'x-forwarded-for': '10.0.0.1',
        connection: 'keep-alive',
        'transfer-encoding': 'chunked',
        host: 'gateway',
        'openai-beta': 'assistants=v2',
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      }),
    ).toEqual({
      'openai-beta': 'assistants=v2',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    });
  });
});
