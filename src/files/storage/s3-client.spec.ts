import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Authorize } from '../../providers/credentials/authorize.js';
import { S3Client, S3Error } from './s3-client.js';

describe('the client of S3', () => {
  let server: Server;
  let client: S3Client;
  let valid: string;
  let refusal: { status: number; body: string };
  let seen: (string | undefined)[];
  /** The credentials that the login gives, one after the other. */
  let issued: string[];

  beforeEach(async () => {
    [valid, seen, issued] = ['second', [], ['first', 'second']];
    refusal = { status: 403, body: '<Error><Code>InvalidAccessKeyId</Code></Error>' };
    server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      if (request.headers.authorization === valid) response.end('content');
      else response.writeHead(refusal.status, { 'content-type': 'application/xml' }).end(refusal.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const authorize: Authorize = Object.assign(() => ({ authorization: issued[0] ?? '' }), {
      refused: ({ authorization }: Readonly<Record<string, string>>) => {
        if (authorization === issued[0] && issued.length > 1) issued.shift();
        return Promise.resolve(authorization !== issued[0]);
      },
    });
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = new S3Client({ endpoint, bucket: 'b', pathStyle: true }, authorize);
  });
  afterEach(async () => {
    await client.close();
    server.close();
  });

  it.each([
    [401, '<Error><Code>AccessDenied</Code></Error>'],
    [403, '<Error><Code>InvalidAccessKeyId</Code></Error>'],
    [400, '<?xml version="1.0"?><Error><Code>ExpiredToken</Code><Message>The token has expired.</Message></Error>'],
  ])('sends a request again with a new login after %i %s', async (status, body) => {
    refusal = { status, body };
    const { body: content } = await client.send({ method: 'GET', key: 'a' });
    expect([content.toString(), seen]).toEqual(['content', ['first', 'second']]);
  });

  it('ends where the login has no other credentials, and after one change of them', async () => {
    issued = ['first'];
    const failure = await client.send({ method: 'GET', key: 'a' }).catch((error: unknown) => error);
    expect((failure as Error).cause).toEqual(expect.any(S3Error));
    expect(seen).toEqual(['first']);
    [valid, issued] = ['third', ['first', 'second', 'third']];
    await expect(client.send({ method: 'GET', key: 'a' })).rejects.toThrow();
    expect(seen).toEqual(['first', 'first', 'second']);
  });

  it('does not ask for another login where the request itself is at fault', async () => {
    refusal = { status: 400, body: '<Error><Code>InvalidArgument</Code></Error>' };
    await expect(client.send({ method: 'GET', key: 'a' })).rejects.toThrow();
    expect([seen, issued]).toEqual([['first'], ['first', 'second']]);
  });
});
