import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import passport from 'passport';
import { invalidApiKey } from '../errors/gateway-error.js';
import { credentialOf } from './credential.js';
import { ApiKeyAuthenticator } from './api-key-authenticator.js';

export const KEY_STRATEGY = 'gateway-key';

/** The base of PassportStrategy. passport-http-bearer is not used, because it also reads keys from query and body. */
class KeyStrategyBase extends passport.Strategy {
  override name = KEY_STRATEGY;
}

/** passport's side of the key check: the headers and the query that `credentialOf` reads. */
@Injectable()
export class KeyStrategy extends PassportStrategy(KeyStrategyBase, KEY_STRATEGY) {
  constructor(private readonly keys: ApiKeyAuthenticator) {
    super();
  }

  override authenticate(request: Request): void {
    const credential = credentialOf(request);
    if (credential === undefined) {
      this.error(invalidApiKey());
      return;
    }
    this.keys.check(credential).then(
      (principal) => {
        if (principal === null) this.error(invalidApiKey());
        else this.success(principal);
      },
      (error: unknown) => this.error(error as Error),
    );
  }

  /** Required by PassportStrategy; `authenticate` above does all the work. */
  validate(): never {
    throw new Error('the key strategy has no verify callback');
  }
}
