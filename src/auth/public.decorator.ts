import { SetMetadata } from '@nestjs/common';
import type { Scope } from './principal.js';

export const PUBLIC = 'gateway:public';
export const SCOPE = 'gateway:scope';

/** Opts a handler or controller out of the key check, which is on everywhere else. */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(PUBLIC, true);

/** Set by `AnyScope` instead of a scope. */
export const ANY_SCOPE = 'any';

/** A valid key with any scope is enough here. */
export const AnyScope = (): ClassDecorator & MethodDecorator => SetMetadata(SCOPE, ANY_SCOPE);

/** The scope that a key needs here; without it, `inference`. */
export const RequireScope = (scope: Scope): ClassDecorator & MethodDecorator => SetMetadata(SCOPE, scope);
