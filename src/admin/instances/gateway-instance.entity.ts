import { Column, Entity, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../../database/whole-number.js';

/** A process that serves or runs batches, as of its last heartbeat. */
@Entity('gateway_instance')
export class GatewayInstance {
  /** `inst_` and 24 hexadecimal digits; new at each start. */
  @PrimaryColumn({ type: 'varchar', length: 32 })
  id!: string;

  /** Name of the machine or container. */
  @Column({ type: 'varchar', length: 255 })
  host!: string;

  @Column({ type: 'integer' })
  pid!: number;

  @Column({ type: 'varchar', length: 16 })
  role!: 'api' | 'worker' | 'all';

  @Column({ type: 'varchar', length: 64 })
  version!: string;

  /** Equal for instances with the same providers and models. */
  @Column({ name: 'configuration_hash', type: 'varchar', length: 16 })
  configurationHash!: string;

  /** Epoch milliseconds, as all times here. */
  @Column({ name: 'started_at', type: 'bigint', transformer: wholeNumber })
  startedAt!: number;

  /** When the configuration was last reloaded; null if never. */
  @Column({ name: 'reloaded_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  reloadedAt!: number | null;

  @Column({ name: 'seen_at', type: 'bigint', transformer: wholeNumber })
  seenAt!: number;
}
