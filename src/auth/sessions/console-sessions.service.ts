import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { EntityManager, LessThan, Repository } from 'typeorm';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { databaseUnavailable } from '../../errors/database-error.js';
import { randomId } from '../../runtime/random-id.js';
import { ADMIN_KEY_ID, ApiKeyAuthenticator } from '../api-key-authenticator.js';
import type { Principal } from '../principal.js';
import { ConsoleUsers, type SignedInUser } from '../users/console-users.service.js';
import { ConsoleSession } from './console-session.entity.js';
import type { SessionToken } from './session-cookie.js';

const SECRET_BYTES = 32;
/** The time of the last request is stored no more often. */
const SEEN_STEP_MS = 60_000;
/** Sessions of one key; a further sign-in ends the oldest. */
const MAX_SESSIONS_PER_KEY = 100;
const UNAVAILABLE = 'The session cannot be checked because the database is not reachable. Retry shortly.';

/** A session that is in force, and who acts in it. */
export interface ActiveSession {
  readonly session: ConsoleSession;
  readonly principal: Principal;
  readonly secret: string;
}

/** A session that has just begun. */
export interface StartedSession extends ActiveSession {
  /** The value of the cookie. */
  readonly token: string;
}

/**
 * Sessions of browsers. They live in the database, so every instance knows them and ends them at once. A session has the rights
 * that its key has at the time of the request, and ends with it.
 */
@Injectable()
export class ConsoleSessions {
  constructor(
    @InjectRepository(ConsoleSession) private readonly sessions: Repository<ConsoleSession>,
    private readonly database: Database,
    private readonly keys: ApiKeyAuthenticator,
    private readonly users: ConsoleUsers,
    private readonly config: GatewayConfig,
  ) {}

  /** Whether sessions are served at all; they are a part of the console. */
  get isEnabled(): boolean {
    return this.config.console.enabled;
  }

  /** When a session ends if it is not used any more; epoch milliseconds. */
  idleEndOf({ seenAt, expiresAt }: ConsoleSession): number {
    return Math.min(seenAt + this.config.console.idleTimeout, expiresAt);
  }

  /**
   * @param note records the sign-in in the same transaction
   * @returns null when the credential is not a valid key
   */
  async start(
    credential: string,
    userAgent: string | undefined,
    note: (manager: EntityManager, session: ConsoleSession) => Promise<void>,
  ): Promise<StartedSession | null> {
    const principal = await this.keys.check(credential);
    if (principal === null) return null;
    return this.database.transaction((manager) => this.insert(manager, principal, { userAgent, idToken: null }, note));
  }

  /** The same for a person whom the identity provider has signed in. @param idToken as the entity has it */
  startOfUser(
    user: SignedInUser & { readonly idToken: string | null },
    userAgent: string | undefined,
    note: (manager: EntityManager, session: ConsoleSession) => Promise<void>,
  ): Promise<StartedSession> {
    return this.database.transaction(async (manager) => {
      const principal = await this.users.save(manager, user);
      return this.insert(manager, principal, { userAgent, idToken: user.idToken }, note);
    });
  }

  private async insert(
    manager: EntityManager,
    principal: Principal,
    { userAgent, idToken }: { readonly userAgent: string | undefined; readonly idToken: string | null },
    note: (manager: EntityManager, session: ConsoleSession) => Promise<void>,
  ): Promise<StartedSession> {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const now = Date.now();
    const session: ConsoleSession = {
      id: randomId('sess_'),
      tokenHash: this.hashOf(secret, principal.keyId),
      keyId: principal.keyId,
      userAgent: userAgent === undefined || userAgent === '' ? null : userAgent.slice(0, 200),
      userName: principal.role === undefined ? null : principal.name,
      idToken,
      createdAt: now,
      seenAt: now,
      expiresAt: Math.min(now + this.config.console.sessionLifetime, principal.expiresAt ?? Infinity),
    };
    await manager.delete(ConsoleSession, { expiresAt: LessThan(now) });
    await manager.delete(ConsoleSession, { seenAt: LessThan(now - this.config.console.idleTimeout) });
    const { keyId } = session;
    const others = await manager.find(ConsoleSession, {
      where: { keyId },
      select: { id: true },
      order: { createdAt: 'DESC', id: 'DESC' },
      skip: MAX_SESSIONS_PER_KEY - 1,
      take: MAX_SESSIONS_PER_KEY,
    });
    if (others.length > 0)
      await manager.delete(
        ConsoleSession,
        others.map(({ id }) => id),
      );
    await manager.insert(ConsoleSession, session);
    await note(manager, session);
    return { session, principal, secret, token: `${session.id}.${secret}` };
  }

  /**
   * @returns null when there is no such session, when it has ended, or when its key has
   * @throws GatewayError 503 when the database does not respond
   */
  async check({ id, secret }: SessionToken): Promise<ActiveSession | null> {
    if (!this.isEnabled) return null;
    let session: ConsoleSession | null;
    try {
      session = await this.sessions.findOneBy({ id });
    } catch (error) {
      throw databaseUnavailable(error, UNAVAILABLE);
    }
    const expected = Buffer.from(session?.tokenHash ?? '0'.repeat(64));
    const given = Buffer.from(this.hashOf(secret, session?.keyId ?? ''));
    if (expected.length !== given.length || !timingSafeEqual(expected, given) || session === null) return null;
    const now = Date.now();
    if (this.idleEndOf(session) <= now) return null;
    const principal = await this.keys.principalOf(session.keyId);
    if (principal === null) return null;
    if (now - session.seenAt > SEEN_STEP_MS) {
      await this.database.transaction((manager) => manager.update(ConsoleSession, { id }, { seenAt: now }));
      session.seenAt = now;
    }
    return { session, principal, secret };
  }

  /**
   * Ends a session.
   *
   * @param note records it in the same transaction
   * @returns the session; null when there is none with this id
   */
  end(
    id: string,
    note: (manager: EntityManager, session: ConsoleSession) => Promise<void>,
  ): Promise<ConsoleSession | null> {
    return this.database.transaction(async (manager) => {
      const session = await manager.findOneBy(ConsoleSession, { id });
      if (session === null) return null;
      await manager.delete(ConsoleSession, { id });
      await note(manager, session);
      return session;
    });
  }

  /** Ends all sessions of a key, in the transaction that changes its secret. */
  async endAllOf(manager: EntityManager, keyId: string): Promise<void> {
    await manager.delete(ConsoleSession, { keyId });
  }

  private hashOf(secret: string, keyId: string): string {
    const hash = createHash('sha256').update(secret);
    if (keyId === ADMIN_KEY_ID) hash.update(`\n${this.config.auth.adminKey ?? ''}`);
    return hash.digest('hex');
  }
}
