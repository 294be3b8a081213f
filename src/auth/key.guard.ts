import { ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';
import { invalidApiKey, permissionDenied } from '../errors/gateway-error.js';
import { credentialOf } from './credential.js';
import { KeyCheck } from './key-check.service.js';
import { KEY_STRATEGY } from './key.strategy.js';
import type { Principal, Scope } from './principal.js';
import { PUBLIC, SCOPE } from './public.decorator.js';

declare module 'express-serve-static-core' {
  interface Request {
    /** Set by the key guard; undefined on public routes. */
    user?: Principal;
  }
}

/**
 * Denies by default, on every route. What a route needs is read from its handler, never from the URL. A key seen
 * within the last 5 s is settled here at once; any other goes through passport.
 */
@Injectable()
export class KeyGuard extends AuthGuard(KEY_STRATEGY) {
  constructor(
    private readonly reflector: Reflector,
    private readonly keys: KeyCheck,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets) === true) return true;
    const request = context.switchToHttp().getRequest<Request>();
    const credential = credentialOf(request.headers);
    if (credential === undefined) throw invalidApiKey();
    const cached = this.keys.cached(credential);
    if (cached === null) throw invalidApiKey();
    if (cached === undefined) await super.canActivate(context);
    else request.user = cached;
    const scope = this.reflector.getAllAndOverride<Scope | undefined>(SCOPE, targets) ?? 'inference';
    if (request.user?.scopes.has(scope) !== true) {
      throw permissionDenied(`This key lacks the scope '${scope}'. Use a key that has it.`, 'insufficient_scope');
    }
    return true;
  }
}
