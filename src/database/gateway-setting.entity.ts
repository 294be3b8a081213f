import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Facts about the installation itself that every process must agree on, such as which pepper made its keys. */
@Entity('gateway_setting')
export class GatewaySetting {
  @PrimaryColumn({ type: 'varchar', length: 64 })
  name!: string;

  @Column({ type: 'text' })
  value!: string;
}
