import { type KeyObject, verify } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type KnownKey, verifySignature } from './aws-signature.js';

export interface LoginRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
  readonly body: Buffer;
}

interface Reply {
  readonly status: number;
  readonly body: string;
}

/** In place of the usual response: a status with a body, a connection that is reset, or no response. */
export type Disturbance = { readonly status: number; readonly body?: string } | 'reset' | 'silence';

export const INSTANCE_ROLE = 'gateway+role';
export const CONTAINER_PATH = '/v2/credentials/task';
export const CONTAINER_TOKEN = 'container-token-1';
export const IDENTITY_PATH = '/msi/token';
export const IDENTITY_HEADER = 'identity-header-secret';
export const ENTRA_TENANT = 'tenant-1';
export const ENTRA_CLIENT = 'client-1';
export const ENTRA_SECRET = 'entra-secret-canary';
export const WEB_TOKEN = 'web.identity.token';
export const METADATA_PROJECT = 'machine-project';
export const REFRESH_TOKEN = 'refresh-token-canary';

const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });

/**
 * The services by which clouds give credentials, in one server: AWS STS, the endpoint of a container, EC2's metadata service,
 * Google's token endpoints and metadata server, Entra ID and Azure's managed identities. They check what real ones check. Each
 * credential that they issue is different, and has a number.
 */
export class CloudLogins {
  readonly requests: LoginRequest[] = [];
  /** Of what is issued from now on; may be negative. */
  lifetimeMs = 3_600_000;
  /** Seconds after which OAuth tokens are to be renewed, as `refresh_in`; undefined leaves that to the client. */
  refreshInSeconds: number | undefined;
  /** Long-lived access keys by their id, and those that were issued. */
  readonly awsKeys = new Map<string, KnownKey>();
  readonly tokens = new Set<string>();
  /** The public keys of Google's service accounts and of Entra's applications. */
  readonly publicKeys: KeyObject[] = [];
  private issued = 0;
  private readonly disturbances = new Map<string, Disturbance[]>();
  private held: { readonly path: string; readonly release: (() => void)[] } | undefined;

  private constructor(
    private readonly server: Server,
    readonly origin: string,
  ) {}

  static async start(): Promise<CloudLogins> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const logins = new CloudLogins(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const [path = '', query = ''] = url.split('?');
        const body = Buffer.concat(chunks);
        const form = new URLSearchParams(body.toString());
        void logins.receive({ method, url, path, query: new URLSearchParams(query), headers, form, body }, response);
      });
    });
    return logins;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Forgets requests and disturbances, not what was issued. */
  reset(): void {
    this.requests.length = 0;
    this.disturbances.clear();
    this.lifetimeMs = 3_600_000;
    this.refreshInSeconds = undefined;
  }

  /** The next requests to a path are disturbed, one after the other. */
  disturb(path: string, ...disturbances: readonly Disturbance[]): void {
    this.disturbances.set(path, [...(this.disturbances.get(path) ?? []), ...disturbances]);
  }

  /** Responses of a path wait until `release` is called. */
  hold(path: string): { release(): void } {
    const held = { path, release: [] as (() => void)[] };
    this.held = held;
    return {
      release: () => {
        this.held = undefined;
        for (const each of held.release) each();
      },
    };
  }

  /** How many requests a path has received. */
  countOf(path: string): number {
    return this.requests.filter((request) => request.path === path).length;
  }

  private async receive(request: LoginRequest, response: ServerResponse): Promise<void> {
    this.requests.push(request);
    if (this.held?.path === request.path) {
      const { release } = this.held;
      await new Promise<void>((resolve) => release.push(resolve));
    }
    const disturbance = this.disturbances.get(request.path)?.shift();
    if (disturbance === 'silence') return;
    if (disturbance === 'reset') {
      response.socket?.destroy();
      return;
    }
    const { status, body = '' } = disturbance ?? this.reply(request);
    response.writeHead(status, { 'metadata-flavor': 'Google', 'content-type': 'application/json' }).end(body);
  }

  private reply(request: LoginRequest): Reply {
    const { method, path } = request;
    const roles = '/latest/meta-data/iam/security-credentials/';
    if (path === '/sts') return this.sts(request);
    if (path === CONTAINER_PATH) return this.container(request);
    if (path === '/latest/api/token') {
      const isRight = method === 'PUT' && request.headers['x-aws-ec2-metadata-token-ttl-seconds'] !== undefined;
      return isRight ? { status: 200, body: 'imds-token' } : { status: 400, body: '' };
    }
    if (path.startsWith(roles)) {
      if (request.headers['x-aws-ec2-metadata-token'] !== 'imds-token') return { status: 401, body: '' };
      if (path === roles) return { status: 200, body: INSTANCE_ROLE };
      return decodeURIComponent(path.slice(roles.length)) === INSTANCE_ROLE
        ? json(200, { Code: 'Success', Type: 'AWS-HMAC', ...this.awsCredentials('Token') })
        : { status: 404, body: '' };
    }
    if (path === '/google/token') return this.googleToken(request);
    if (path === '/google/sts') return this.googleExchange(request);
    if (path === '/google/impersonate:generateAccessToken') return this.googleImpersonation(request);
    if (path.startsWith('/computeMetadata/v1/')) return this.googleMetadata(request);
    if (path === `/${ENTRA_TENANT}/oauth2/v2.0/token`) return this.entra(request);
    if (path === IDENTITY_PATH || path === '/metadata/identity/oauth2/token') return this.managedIdentity(request);
    return { status: 404, body: `no such path: ${path}` };
  }

  /** A set of temporary keys that the server will know again. */
  private awsCredentials(tokenName: string): Readonly<Record<string, string>> {
    this.issued += 1;
    const accessKeyId = `ASIAISSUEDKEY${String(this.issued).padStart(7, '0')}`;
    const secretAccessKey = `issued/secret+${this.issued}`;
    const sessionToken = `issued/session+token/${this.issued}==`;
    this.awsKeys.set(accessKeyId, { secretAccessKey, sessionToken });
    return {
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      [tokenName]: sessionToken,
      Expiration: new Date(Date.now() + this.lifetimeMs).toISOString().replace(/\.\d+/, ''),
    };
  }

  private token(): string {
    this.issued += 1;
    const token = `issued-access-token-${this.issued}`;
    this.tokens.add(token);
    return token;
  }

  private get lifetimeSeconds(): number {
    return Math.floor(this.lifetimeMs / 1_000);
  }

  private sts({ method, url, headers, body, form }: LoginRequest): Reply {
    const action = form.get('Action') ?? '';
    const refuse = (code: string, message: string): Reply => ({
      status: 403,
      body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    });
    if (form.get('Version') !== '2011-06-15' || form.get('RoleArn') === null || form.get('RoleSessionName') === null) {
      return refuse('ValidationError', 'a parameter is missing');
    }
    if (action === 'AssumeRole') {
      const signature = verifySignature({ method, url, headers, body }, (id) => this.awsKeys.get(id));
      if (typeof signature === 'string') return refuse(signature, 'The signature does not match');
      if (signature.service !== 'sts') return refuse('SignatureDoesNotMatch', 'another service');
    } else if (action !== 'AssumeRoleWithWebIdentity') return refuse('InvalidAction', action);
    else if (form.get('WebIdentityToken') !== WEB_TOKEN) {
      return refuse('InvalidIdentityToken', `cannot be read: ${form.get('WebIdentityToken') ?? ''}`);
    }
    const members = Object.entries(this.awsCredentials('SessionToken'))
      .map(([name, value]) => `\n      <${name}>${value.replaceAll('&', '&amp;')}</${name}>`)
      .join('');
    const result = `\n  <${action}Result>\n    <AssumedRoleUser><Arn>${form.get('RoleArn')}</Arn></AssumedRoleUser>\n    <Credentials>${members}\n    </Credentials>\n  </${action}Result>`;
    return {
      status: 200,
      body: `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${result}\n</${action}Response>`,
    };
  }

  private container({ headers }: LoginRequest): Reply {
    if (headers.authorization !== CONTAINER_TOKEN) {
      return json(403, { code: 'AccessDenied', message: `not ${headers.authorization ?? 'without a token'}` });
    }
    return json(200, { RoleArn: 'arn:aws:iam::123456789012:role/task', ...this.awsCredentials('Token') });
  }

  private oauth(): Reply {
    const refresh = this.refreshInSeconds === undefined ? {} : { refresh_in: this.refreshInSeconds };
    return json(200, {
      access_token: this.token(),
      token_type: 'Bearer',
      expires_in: this.lifetimeSeconds,
      ...refresh,
    });
  }

  private googleToken({ form }: LoginRequest): Reply {
    if (form.get('grant_type') === 'refresh_token') {
      return form.get('refresh_token') === REFRESH_TOKEN
        ? this.oauth()
        : json(400, { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' });
    }
    const claims = this.claimsOf(form.get('assertion') ?? '');
    return claims === undefined
      ? json(400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' })
      : this.oauth();
  }

  private googleExchange({ form }: LoginRequest): Reply {
    if (form.get('subject_token') !== WEB_TOKEN) {
      return json(400, { error: 'invalid_grant', error_description: 'The subject token is not acceptable.' });
    }
    const { body, status } = this.oauth();
    return json(status, {
      ...(JSON.parse(body) as object),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    });
  }

  private googleImpersonation({ headers }: LoginRequest): Reply {
    if (!this.hasToken(headers)) return json(401, { error: { code: 401, status: 'UNAUTHENTICATED', message: 'no' } });
    return json(200, { accessToken: this.token(), expireTime: new Date(Date.now() + this.lifetimeMs).toISOString() });
  }

  private googleMetadata({ path, headers }: LoginRequest): Reply {
    if (headers['metadata-flavor'] !== 'Google') return { status: 403, body: 'Missing Metadata-Flavor:Google header.' };
    if (path.endsWith('/project/project-id')) return { status: 200, body: METADATA_PROJECT };
    return path.endsWith('/service-accounts/default/token') ? this.oauth() : { status: 404, body: '' };
  }

  private entra({ form, url }: LoginRequest): Reply {
    const refuse = (text: string): Reply => json(401, { error: 'invalid_client', error_description: text });
    if (form.get('grant_type') !== 'client_credentials' || !(form.get('scope') ?? '').endsWith('/.default')) {
      return json(400, { error: 'invalid_request', error_description: 'AADSTS70011' });
    }
    if (form.get('client_id') !== ENTRA_CLIENT) return refuse('AADSTS700016: unknown application');
    const assertion = form.get('client_assertion');
    if (assertion === null) {
      const secret = form.get('client_secret') ?? '';
      return secret === ENTRA_SECRET ? this.oauth() : refuse(`AADSTS7000215: Invalid client secret ${secret}.`);
    }
    if (assertion === WEB_TOKEN) return this.oauth();
    const claims = this.claimsOf(assertion);
    const isRight = claims?.['aud'] === `${this.origin}${url}` && claims['iss'] === ENTRA_CLIENT;
    return isRight ? this.oauth() : refuse('AADSTS700027: the signature of the assertion is wrong');
  }

  private managedIdentity({ path, headers, query }: LoginRequest): Reply {
    const isRight =
      path === IDENTITY_PATH ? headers['x-identity-header'] === IDENTITY_HEADER : headers['metadata'] === 'true';
    if (!isRight || query.get('api-version') === null) return json(400, { error: 'invalid_request' });
    const resource = query.get('resource') ?? '';
    if (resource === '' || resource.endsWith('/.default')) return json(400, { error: 'invalid_resource' });
    const expiresOn = Math.floor((Date.now() + this.lifetimeMs) / 1_000);
    return json(200, {
      access_token: this.token(),
      expires_on: String(expiresOn),
      resource,
      token_type: 'Bearer',
      ...(path === IDENTITY_PATH ? {} : { expires_in: String(this.lifetimeSeconds) }),
    });
  }

  /** Whether a request carries a token that was issued here. */
  hasToken(headers: IncomingHttpHeaders): boolean {
    return this.tokens.has(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '');
  }

  /** The claims of a JWT that one of the public keys has signed and that has not expired. */
  private claimsOf(jwt: string): Readonly<Record<string, unknown>> | undefined {
    const [header = '', payload = '', signature = ''] = jwt.split('.');
    const signed = Buffer.from(`${header}.${payload}`);
    const isSigned = this.publicKeys.some((key) => verify('sha256', signed, key, Buffer.from(signature, 'base64url')));
    if (!isSigned) return undefined;
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Readonly<Record<string, unknown>>;
    return Number(claims['exp']) > Date.now() / 1_000 ? claims : undefined;
  }
}
