import { Column, Entity, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../../database/whole-number.js';

/** Most characters of the id of a deployment that can be drained. */
export const MAX_DEPLOYMENT_ID_CHARACTERS = 400;

/** A deployment that an administrator has taken out of service. */
@Entity('deployment_drain')
export class DeploymentDrain {
  /** The id in the form in which spellings of the same deployment are equal. Lower case may be longer than what it was made of. */
  @PrimaryColumn({ type: 'varchar', length: 800 })
  place!: string;

  /** The id as the list of deployments has it. */
  @Column({ type: 'varchar', length: MAX_DEPLOYMENT_ID_CHARACTERS })
  deployment!: string;

  @Column({ type: 'varchar', length: 200, nullable: true })
  reason!: string | null;

  /** Id of the key, or of the person, that drained it. */
  @Column({ type: 'varchar', length: 32 })
  actor!: string;

  /** Name of the key or of the person at that time. */
  @Column({ name: 'actor_name', type: 'varchar', length: 200 })
  actorName!: string;

  /** Epoch milliseconds, as all times here. */
  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  /** When it ends by itself; null for never. */
  @Column({ name: 'expires_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  expiresAt!: number | null;
}
