import { ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import { invalidApiKey, permissionDenied } from '../errors/gateway-error.js';
import type { HttpRequest } from '../http/http-types.js';
import { credentialOf } from './credential.js';
import { ConsoleSessions, type ActiveSession } from './sessions/console-sessions.service.js';
import { CSRF_HEADER, csrfTokenOf, isFromElsewhere, isSafe, sessionTokenOf } from './sessions/session-cookie.js';
import { ApiKeyAuthenticator } from './api-key-authenticator.js';
import { KEY_STRATEGY } from './key.strategy.js';
import type { Principal, Scope } from './principal.js';
import { ANY_SCOPE, PUBLIC, SCOPE } from './public.decorator.js';

/** The permission that a handler needs. */
type Need = Scope | typeof ANY_SCOPE;

declare module 'express-serve-static-core' {
  interface Request {
    /** Set by the key guard; undefined on public routes. */
    user?: Principal;
  }
}

declare module 'http' {
  interface IncomingMessage {
    /** The session of the console in which the request was made. Set by the key guard; undefined where it carries a key. */
    consoleSession?: ActiveSession;
  }
}

/**
 * Denies by default, on every route. The permission that a route needs is read from its handler, never from the URL. A key seen
 * within the last 5 s is checked synchronously; other keys are checked by passport. A request without a key may carry a session
 * of the console, with the CSRF token of the session where it is not a read.
 */
@Injectable()
export class KeyGuard extends AuthGuard(KEY_STRATEGY) {
  /** The permission that each handler needs; null for none. Cached, because reading the decorators costs more than the check. */
  private readonly needs = new Map<unknown, Need | null>();

  constructor(
    private readonly reflector: Reflector,
    private readonly keys: ApiKeyAuthenticator,
    private readonly sessions: ConsoleSessions,
  ) {
    super();
  }

  override canActivate(context: ExecutionContext): true | Promise<boolean> {
    const scope = this.scopeFor(context);
    if (scope === null) return true;
    const request = context.getArgByIndex<HttpRequest>(0);
    const credential = credentialOf(request);
    if (credential === undefined) return this.askSession(request, scope);
    const cached = this.keys.cached(credential);
    if (cached === null) throw invalidApiKey();
    if (cached === undefined) return this.askPassport(context, request, scope);
    request.user = cached;
    return isAllowed(request, scope);
  }

  private async askSession(request: HttpRequest, scope: Need): Promise<boolean> {
    const token = sessionTokenOf(request.headers);
    if (token === undefined) throw invalidApiKey();
    const active = await this.sessions.check(token);
    if (active === null) throw invalidApiKey('This session has ended. Sign in again.');
    if (isFromElsewhere(request)) {
      throw permissionDenied('A session is for pages of this gateway alone; send a key instead.', 'csrf_token_invalid');
    }
    if (!isSafe(request.method) && request.headers[CSRF_HEADER] !== csrfTokenOf(token.secret)) {
      throw permissionDenied(
        `Send the csrf_token of GET /v1/session in the header ${CSRF_HEADER}.`,
        'csrf_token_invalid',
      );
    }
    request.consoleSession = active;
    request.user = active.principal;
    return isAllowed(request, scope);
  }

  private async askPassport(context: ExecutionContext, request: HttpRequest, scope: Need): Promise<boolean> {
    await super.canActivate(context);
    return isAllowed(request, scope);
  }

  private scopeFor(context: ExecutionContext): Need | null {
    const handler = context.getHandler();
    let scope = this.needs.get(handler);
    if (scope === undefined) {
      const targets = [handler, context.getClass()];
      const isPublic = this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets) === true;
      scope = isPublic ? null : (this.reflector.getAllAndOverride<Need | undefined>(SCOPE, targets) ?? 'inference');
      this.needs.set(handler, scope);
    }
    return scope;
  }
}

function isAllowed({ user, method }: HttpRequest, scope: Need): true {
  if (scope === ANY_SCOPE) return true;
  if (user?.scopes.has(scope) === true) return true;
  if (user?.role === 'viewer') {
    if (isSafe(method)) return true;
    throw permissionDenied(
      "The role 'viewer' reads and changes nothing. Ask for the role 'admin'.",
      'insufficient_scope',
    );
  }
  if (user?.role === 'member') {
    throw permissionDenied(
      "The role 'member' sees its own keys and their usage alone. Call models with one of these keys.",
      'insufficient_scope',
    );
  }
  throw permissionDenied(`This key lacks the scope '${scope}'. Use a key that has it.`, 'insufficient_scope');
}
