import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { EntityManager, Repository } from 'typeorm';
import { GatewayConfig } from '../../config/gateway-config.js';
import { databaseUnavailable } from '../../errors/database-error.js';
import type { Principal, Role } from '../principal.js';
import { ConsoleUser } from './console-user.entity.js';
import { principalOfUser, userIdOf } from './user-principal.js';

const UNAVAILABLE = 'The user cannot be checked because the database is not reachable. Retry shortly.';

/** What an identity provider has said of a person. */
export interface SignedInUser {
  readonly issuer: string;
  /** The `sub` of the ID token. */
  readonly subject: string;
  readonly name: string;
  readonly role: Role;
}

/** People who have signed in by OpenID Connect. Each sign-in renews their name and role, in all of their sessions. */
@Injectable()
export class ConsoleUsers {
  constructor(
    @InjectRepository(ConsoleUser) private readonly users: Repository<ConsoleUser>,
    private readonly config: GatewayConfig,
  ) {}

  /**
   * The principal of a person, with the role of the last sign-in.
   *
   * @returns null for an unknown person, and where the identity provider is not configured any more
   * @throws GatewayError 503 when the database does not respond
   */
  async principalOf(id: string): Promise<Principal | null> {
    let user: ConsoleUser | null;
    try {
      user = await this.users.findOneBy({ id });
    } catch (error) {
      throw databaseUnavailable(error, UNAVAILABLE);
    }
    return user === null || user.issuer !== this.config.console.oidc?.issuer ? null : principalOfUser(user);
  }

  /** Stores what the identity provider has said. */
  async save(manager: EntityManager, { issuer, subject, name, role }: SignedInUser): Promise<Principal> {
    const id = userIdOf(issuer, subject);
    const now = Date.now();
    const known = { issuer, name, role, signedInAt: now };
    const { affected } = await manager.update(ConsoleUser, { id }, known);
    if (affected !== 1) {
      // Two first sign-ins at once: the second finds the row of the first.
      await manager
        .createQueryBuilder()
        .insert()
        .into(ConsoleUser)
        .values({ id, ...known, createdAt: now })
        .orIgnore()
        .execute();
    }
    return principalOfUser({ id, name, role });
  }
}
