import { ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import { invalidApiKey, permissionDenied } from '../errors/gateway-error.js';
import type { HttpRequest } from '../http/http-types.js';
import { credentialOf } from './credential.js';
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

/**
 * Denies by default, on every route. The permission that a route needs is read from its handler, never from the URL. A key seen
 * within the last 5 s is checked synchronously; other keys are checked by passport.
 */
@Injectable()
export class KeyGuard extends AuthGuard(KEY_STRATEGY) {
  /** The permission that each handler needs; null for none. Cached, because reading the decorators costs more than the check. */
  private readonly needs = new Map<unknown, Need | null>();

  constructor(
    private readonly reflector: Reflector,
    private readonly keys: ApiKeyAuthenticator,
  ) {
    super();
  }

  override canActivate(context: ExecutionContext): true | Promise<boolean> {
    const scope = this.scopeFor(context);
    if (scope === null) return true;
    const request = context.getArgByIndex<HttpRequest>(0);
    const credential = credentialOf(request);
    if (credential === undefined) throw invalidApiKey();
    const cached = this.keys.cached(credential);
    if (cached === null) throw invalidApiKey();
    if (cached === undefined) return this.askPassport(context, request, scope);
    request.user = cached;
    return hasScope(request, scope);
  }

  private async askPassport(context: ExecutionContext, request: HttpRequest, scope: Need): Promise<boolean> {
    await super.canActivate(context);
    return hasScope(request, scope);
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

function hasScope({ user }: HttpRequest, scope: Need): true {
  if (scope === ANY_SCOPE) return true;
  if (user?.scopes.has(scope) === true) return true;
  throw permissionDenied(`This key lacks the scope '${scope}'. Use a key that has it.`, 'insufficient_scope');
}
