import { Injectable, Logger } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log.service.js';
import { ConsoleSessions } from '../../auth/sessions/console-sessions.service.js';
import { isOverHttps, printSessionCookie } from '../../auth/sessions/session-cookie.js';
import { describeError } from '../../errors/describe-error.js';
import { notFound } from '../../errors/gateway-error.js';
import type { HttpRequest, HttpResponse } from '../../http/http-types.js';
import { OidcClient } from './oidc-client.js';
import { pendingOf, printPendingCookie } from './pending-sign-in.js';
import { SignInFault } from './sign-in-fault.js';

const CONSOLE = '/console/';

/** Leads a browser to the identity provider and, when it comes back, starts its session. */
@Injectable()
export class OidcSignIn {
  private readonly logger = new Logger('SignIn');

  constructor(
    private readonly client: OidcClient,
    private readonly sessions: ConsoleSessions,
    private readonly audit: AuditLog,
  ) {}

  /** @throws GatewayError 404 where `console.oidc` is not set */
  async begin(request: HttpRequest, response: HttpResponse): Promise<void> {
    this.assertConfigured();
    await this.redirecting(request, response, async () => {
      const { url, pending } = await this.client.begin();
      response.setHeader('set-cookie', printPendingCookie(pending, isOverHttps(request)));
      return url.href;
    });
  }

  /** @throws GatewayError 404 as `begin`, 503 where the database does not respond */
  async complete(request: HttpRequest, response: HttpResponse): Promise<void> {
    this.assertConfigured();
    const isSecure = isOverHttps(request);
    const cookies = [printPendingCookie(undefined, isSecure)];
    response.setHeader('set-cookie', cookies);
    await this.redirecting(request, response, async () => {
      const pending = pendingOf(request.headers, isSecure);
      if (pending === undefined) throw new SignInFault('expired', 'no sign-in has begun in this browser');
      const mark = request.url.indexOf('?');
      const identity = await this.client.complete(mark === -1 ? '' : request.url.slice(mark), pending);
      const started = await this.sessions.startOfUser(identity, request.headers['user-agent'], (manager, session) =>
        this.audit.note(manager, {
          actor: session.keyId,
          action: 'session.started',
          targetId: session.id,
          changes: { user: identity.name, role: identity.role },
        }),
      );
      const seconds = Math.ceil((started.session.expiresAt - Date.now()) / 1_000);
      response.setHeader('set-cookie', [...cookies, printSessionCookie(started.token, seconds, isSecure)]);
      return CONSOLE;
    });
  }

  private assertConfigured(): void {
    if (!this.client.isConfigured) throw notFound('Sign-in by OpenID Connect is not set up (console.oidc).');
  }

  /** A person sees the fault on the sign-in page, and its reason is in the log under the same id. */
  private async redirecting(request: HttpRequest, response: HttpResponse, work: () => Promise<string>): Promise<void> {
    let location: string;
    try {
      location = await work();
    } catch (error) {
      if (!(error instanceof SignInFault)) throw error;
      const { code, message: reason, cause } = error;
      this.logger.warn({
        msg: 'a sign-in failed',
        code,
        reason,
        request_id: request.id,
        ...(cause !== undefined && { error: describeError(cause) }),
      });
      location = `${CONSOLE}?${new URLSearchParams({ sign_in_error: code, request_id: request.id }).toString()}`;
    }
    response.statusCode = 302;
    response.setHeader('cache-control', 'no-store');
    response.setHeader('location', location);
    response.end();
  }
}
