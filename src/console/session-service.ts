import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { AuditLog } from '../audit/audit-log.service.js';
import { newestFirst } from '../database/newest-first.js';
import { invalidApiKey, notFound, permissionDenied, rateLimitExceeded } from '../errors/gateway-error.js';
import { DEFAULT_PAGE_ENTRIES, type PageQueryDto } from '../http/page-query.dto.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { toUnixSeconds } from '../http/unix-seconds.js';
import { ConsoleSession } from '../auth/sessions/console-session.entity.js';
import { ConsoleSessions, type ActiveSession } from '../auth/sessions/console-sessions.service.js';
import { FailedSignIns } from '../auth/sessions/failed-sign-ins.js';
import { csrfTokenOf, isFromElsewhere, isOverHttps, printSessionCookie } from '../auth/sessions/session-cookie.js';
import { OidcClient } from './oidc/oidc-client.js';
import type { EndedSessionDto, OwnSessionDto, SessionDto, SessionListDto, SignInMethodsDto } from './session.dto.js';

const NO_SUCH_SESSION = 'There is no such session, or it has ended.';

/** Sign-in, sign-out and the list of sessions. */
@Injectable()
export class SessionService {
  private readonly failures = new FailedSignIns();

  constructor(
    private readonly sessions: ConsoleSessions,
    @InjectRepository(ConsoleSession) private readonly rows: Repository<ConsoleSession>,
    private readonly audit: AuditLog,
    private readonly oidc: OidcClient,
  ) {}

  /** How people may sign in. @throws GatewayError 404 where the console is switched off */
  methods(): SignInMethodsDto {
    this.assertEnabled();
    return { object: 'sign_in_methods', key: true, oidc: this.oidc.isConfigured };
  }

  /** @throws GatewayError 401 for a wrong key, 429 after too many of them, 404 where the console is switched off */
  async signIn(key: string, request: HttpRequest, response: HttpResponse): Promise<OwnSessionDto> {
    this.assertEnabled();
    if (isFromElsewhere(request)) {
      throw permissionDenied('Sign in on a page of this gateway.', 'csrf_token_invalid');
    }
    const address = request.socket.remoteAddress ?? '';
    const retryAfterMs = this.failures.waitFor(address);
    if (retryAfterMs > 0) {
      throw rateLimitExceeded({ message: 'Too many failed sign-ins from this address. Wait a minute.', retryAfterMs });
    }
    const started = await this.sessions.start(key.trim(), request.headers['user-agent'], (manager, { id, keyId }) =>
      this.audit.note(manager, { actor: keyId, action: 'session.started', targetId: id, changes: {} }),
    );
    if (started === null) {
      this.failures.add(address);
      throw invalidApiKey('This key is not valid here. Check that all of it was pasted, and that it is not revoked.');
    }
    const seconds = Math.ceil((started.session.expiresAt - Date.now()) / 1_000);
    response.setHeader('set-cookie', printSessionCookie(started.token, seconds, isOverHttps(request)));
    return this.toOwnDto(started);
  }

  /** @throws GatewayError 404 where the request carries a key and no session */
  own(active: ActiveSession | undefined): OwnSessionDto {
    if (active === undefined)
      throw notFound('This request carries a key, not a session. Sign in with POST /v1/session.');
    return this.toOwnDto(active);
  }

  /** @throws GatewayError 404 as `own` */
  async signOut(
    active: ActiveSession | undefined,
    isSecure: boolean,
    response: HttpResponse,
  ): Promise<EndedSessionDto> {
    const { id, key_id: actor } = this.own(active);
    const idToken = active?.session.idToken ?? null;
    const ended = await this.end(id, actor);
    response.setHeader('set-cookie', printSessionCookie('', 0, isSecure));
    return { ...ended, end_session_url: idToken === null ? null : await this.oidc.endSessionUrl(idToken) };
  }

  async list({ limit = DEFAULT_PAGE_ENTRIES, after }: PageQueryDto): Promise<SessionListDto> {
    const { rows, ...page } = await newestFirst(this.rows.createQueryBuilder('session'), 'createdAt', {
      limit,
      after,
      what: 'session',
      idPrefix: 'sess_',
    });
    return { object: 'list', data: rows.map((row) => this.toDto(row)), ...page };
  }

  /** @throws GatewayError 404 when there is none with this id */
  async end(id: string, actor: string): Promise<SessionDto> {
    const ended = await this.sessions.end(id, (manager, { keyId }) =>
      this.audit.note(manager, { actor, action: 'session.ended', targetId: id, changes: { key_id: keyId } }),
    );
    if (ended === null) throw notFound(NO_SUCH_SESSION);
    return this.toDto(ended);
  }

  private assertEnabled(): void {
    if (!this.sessions.isEnabled) throw notFound('The console is switched off (console.enabled).');
  }

  private toOwnDto({ session, principal, secret }: ActiveSession): OwnSessionDto {
    return {
      ...this.toDto(session),
      name: principal.name,
      role: principal.role ?? (principal.scopes.has('admin') ? 'admin' : 'member'),
      scopes: [...principal.scopes],
      csrf_token: csrfTokenOf(secret),
    };
  }

  private toDto(session: ConsoleSession): SessionDto {
    return {
      id: session.id,
      object: 'session',
      key_id: session.keyId,
      user: session.userName,
      user_agent: session.userAgent,
      created_at: toUnixSeconds(session.createdAt),
      last_seen_at: toUnixSeconds(session.seenAt),
      idle_expires_at: toUnixSeconds(this.sessions.idleEndOf(session)),
      expires_at: toUnixSeconds(session.expiresAt),
    };
  }
}
