import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength, MinLength } from 'class-validator';
import { ROLES, SCOPES, type Role, type Scope } from '../auth/principal.js';
import { ListOf } from '../http/list-of.js';

/** Longer than any key. */
const MAX_KEY_CHARACTERS = 512;

/** A sign-in to the console. */
export class SignInDto {
  /**
   * A key of the gateway: an admin key for all of the console, any other key for its own limits and usage.
   * @example "gw_0123456789abcdef_0123456789012345678901234567890123456789_012345"
   */
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_KEY_CHARACTERS)
  key!: string;
}

/** A session of the console. Times are Unix seconds. */
export class SessionDto {
  /**
   * Id of the session.
   * @example "sess_0123456789abcdef01234567"
   */
  id!: string;
  /** Always `session`. */
  @ApiProperty({ enum: ['session'], example: 'session' })
  object!: 'session';
  /**
   * The key that signed in, `admin` for GATEWAY_ADMIN_KEY; of a person, their id `user_...`.
   * @example "key_0123456789abcdef"
   */
  key_id!: string;
  /** The person who signed in by OpenID Connect; null where it was a key. */
  @ApiProperty({ type: String, nullable: true, example: null })
  user!: string | null;
  /** The browser, as it names itself; null if it does not. */
  @ApiProperty({ type: String, nullable: true, example: 'Mozilla/5.0 (X11; Linux x86_64)' })
  user_agent!: string | null;
  /** When it began. */
  @ApiProperty({ type: 'integer', example: 1795478400 })
  created_at!: number;
  /** The last request, to the minute. */
  @ApiProperty({ type: 'integer', example: 1795478400 })
  last_seen_at!: number;
  /** When it ends without a further request. */
  @ApiProperty({ type: 'integer', example: 1795521600 })
  idle_expires_at!: number;
  /** When it ends, however much it is used. */
  @ApiProperty({ type: 'integer', example: 1796083200 })
  expires_at!: number;
}

/** The caller's own session. */
export class OwnSessionDto extends SessionDto {
  /**
   * The name of its key, or of the person.
   * @example "checkout service"
   */
  name!: string;
  /** `admin` may do everything that its key may; `viewer` reads all of that; `member` sees its own keys and usage. */
  @ApiProperty({ enum: ROLES, example: 'admin' })
  role!: Role;
  /** The present rights of its key. */
  @ApiProperty({ enum: SCOPES, enumName: 'Scope', isArray: true, example: ['inference'] })
  scopes!: Scope[];
  /**
   * To be sent in the header `x-csrf-token` of every request that is not a GET.
   * @example "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"
   */
  csrf_token!: string;
}

/** A session that its user has ended. */
export class EndedSessionDto extends SessionDto {
  /** Where the sign-in at the identity provider is ended, for a browser to go there; null where there is none to end. */
  @ApiProperty({ type: String, nullable: true, example: null })
  end_session_url!: string | null;
}

/** How people may sign in to the console. */
export class SignInMethodsDto {
  /** Always `sign_in_methods`. */
  @ApiProperty({ enum: ['sign_in_methods'], example: 'sign_in_methods' })
  object!: 'sign_in_methods';
  /** With a key, by `POST /v1/session`. Always true. */
  @ApiProperty({ example: true })
  key!: boolean;
  /** At an identity provider, by opening `/v1/session/oidc` in a browser. */
  @ApiProperty({ example: false })
  oidc!: boolean;
}

/** A page of sessions, the newest first. */
export class SessionListDto extends ListOf(SessionDto, 'The sessions of this page.') {}
