import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { requestAccessToken } from './access-token.js';
import { LoginError } from './login-error.js';
import { requestToken, type TokenRequest, withoutSecrets } from './token-request.js';

let server: Server;
let origin: string;
let reply: (response: ServerResponse) => void;
let asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    reply(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
});

function request(rest: Partial<TokenRequest> = {}): TokenRequest {
  return { service: 'the service', method: 'GET', url: `${origin}/`, ...rest };
}

async function failureOf(work: Promise<unknown>): Promise<LoginError> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  if (!(error instanceof LoginError)) throw new Error(`it did not fail with a LoginError: ${String(error)}`);
  return error;
}

describe('a request for credentials', () => {
  it('ends three times by its timeout where the service is silent, also in the middle of its response', async () => {
    // Counted as they are sent: on a busy machine a try may end before it reaches the service.
    let tries = 0;
    const onTry = (): void => void (tries += 1);
    subscribe('undici:request:create', onTry);
    for (const silent of [() => undefined, (response: ServerResponse) => void response.write('{')]) {
      tries = 0;
      reply = silent;
      const error = await failureOf(requestToken(request({ timeoutMs: 40 })));
      expect(error).toMatchObject({
        isTransient: true,
        message: expect.stringContaining('did not respond in time') as string,
      });
      expect(tries).toBe(3);
    }
    unsubscribe('undici:request:create', onTry);
  });

  it('does not follow a redirect, which could lead the secret elsewhere', async () => {
    reply = (response) => response.writeHead(307, { location: '/elsewhere' }).end();
    expect(await requestToken(request({ method: 'POST', form: new URLSearchParams({ a: 'b' }) }))).toMatchObject({
      status: 307,
    });
    expect(asked).toEqual(['/']);
  });

  it('stops reading a response that is no token', async () => {
    reply = (response) => response.end(Buffer.alloc(3_000_000, 'a'));
    expect(await failureOf(requestToken(request()))).toMatchObject({
      message: expect.stringContaining('more than') as string,
    });
    expect(asked).toHaveLength(1);
  });

  it('is sent again for statuses that pass, and not for others', async () => {
    for (const [status, tries] of [
      [500, 3],
      [503, 3],
      [429, 3],
      [408, 3],
      [418, 3],
      [400, 1],
      [401, 1],
      [404, 1],
    ] as const) {
      asked = [];
      reply = (response) => response.writeHead(status).end();
      await requestToken(request({ transientStatuses: [418] })).catch(() => undefined);
      expect([status, asked.length]).toEqual([status, tries]);
    }
  });
});

describe('a token', () => {
  it('is read with every form of its lifetime', async () => {
    const expiryOf = async (members: object): Promise<number> => {
      reply = (response) => response.end(JSON.stringify({ access_token: 'a', ...members }));
      return (await requestAccessToken(request())).expiresAt - Date.now();
    };
    const soon = Math.floor(Date.now() / 1_000) + 1_000;
    for (const [members, seconds] of [
      [{ expires_in: 900 }, 900],
      [{ expires_in: '900' }, 900],
      [{ expires_on: String(soon) }, 1_000],
      [{ expires_in: 900, expires_on: soon }, 900],
      [{}, 300],
      [{ expires_in: 'never' }, 300],
    ] as const) {
      expect(Math.abs((await expiryOf(members)) / 1_000 - seconds)).toBeLessThan(60);
    }
  });

  it('is not had from any other response, and none of them is quoted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json().map((text) => `{"canary":${text}}`),
          fc.string().map((text) => `canary${text}`),
          fc.json().map((value) => `{"access_token":["canary"],"expires_in":${value}}`),
        ),
        async (body) => {
          reply = (response) => response.end(body);
          const error = await failureOf(requestAccessToken(request()));
          expect(`${error.message} ${String(error.code)}`).not.toContain('canary');
        },
      ),
      { numRuns: 50 },
    );
  });
});

it('secrets are removed from the words of a service, wherever they are in them', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 8 }).filter((text) => !/\s|redacted/.test(text)),
      fc.string(),
      fc.string(),
      (secret, a, b) => {
        expect(withoutSecrets(`${a}${secret}${b}`, [undefined, '', secret])).not.toContain(secret);
      },
    ),
  );
});
