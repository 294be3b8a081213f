import { Column, Entity, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../../database/whole-number.js';
import type { Role } from '../principal.js';

/** A person who has signed in by OpenID Connect, as the identity provider named them at the last sign-in. */
@Entity('console_user')
export class ConsoleUser {
  /** `user_` and 24 hexadecimal digits, which follow from the issuer and the subject. */
  @PrimaryColumn({ type: 'varchar', length: 32 })
  id!: string;

  /** The identity provider. Sessions of another one than the configured one are not valid. */
  @Column({ type: 'varchar', length: 512 })
  issuer!: string;

  /** The value of `console.oidc.user_claim`, in lower case where it is an e-mail address. */
  @Column({ type: 'varchar', length: 200 })
  name!: string;

  /** The role that `console.oidc.roles` gave. */
  @Column({ type: 'varchar', length: 16 })
  role!: Role;

  /** Epoch milliseconds. */
  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  /** Epoch milliseconds. */
  @Column({ name: 'signed_in_at', type: 'bigint', transformer: wholeNumber })
  signedInAt!: number;
}
