import { RequestHeaders } from './request-headers.js';

function asObject(headers: readonly string[]): Record<string, string> {
  const object: Record<string, string> = {};
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    expect(object).not.toHaveProperty([name]);
    object[name] = headers[index + 1]!;
  }
  return object;
}

describe('RequestHeaders', () => {
  it('holds the key, the request id and nothing that was not named', () => {
    const headers = new RequestHeaders({ apiKey: 'sk-1', headers: {} });
    expect(asObject(headers.build(false, 'req-1', { traceparent: '00-1' }))).toEqual({
      'content-type': 'application/json',
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': expect.stringMatching(/^llm-gateway\//) as string,
      authorization: 'Bearer sk-1',
      'x-request-id': 'req-1',
      traceparent: '00-1',
    });
    expect(asObject(headers.build(true, 'req-1', {}))['accept']).toContain('text/event-stream');
  });

  it('sends no authorization without a key', () => {
    expect(asObject(new RequestHeaders({ apiKey: undefined, headers: {} }).build(false, 'r', {}))).not.toHaveProperty(
      'authorization',
    );
  });

  it("lets the operator's headers win over the client's, and leaves out those of the connection", () => {
    const headers = new RequestHeaders({
      apiKey: 'sk-1',
      headers: { 'openai-organization': 'org-operator', 'api-key': 'azure', 'transfer-encoding': 'chunked' },
    });
    const built = asObject(
      headers.build(false, 'r', {
        'openai-organization': 'org-client',
        authorization: 'Bearer client',
        'openai-beta': 'a',
      }),
    );
    expect(built).toMatchObject({
      'openai-organization': 'org-operator',
      'api-key': 'azure',
      authorization: 'Bearer sk-1',
      'openai-beta': 'a',
    });
    expect(built).not.toHaveProperty('transfer-encoding');
  });
});
