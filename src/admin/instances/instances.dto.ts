import { ListOf } from '../../http/list-of.js';
import { ApiProperty } from '@nestjs/swagger';

/** A process of the gateway. Times are Unix seconds. */
export class InstanceDto {
  /**
   * Id of the process, new at each start.
   * @example "inst_0123456789abcdef01234567"
   */
  id!: string;
  /** Always `instance`. */
  @ApiProperty({ enum: ['instance'], example: 'instance' })
  object!: 'instance';
  /**
   * Name of its machine or container.
   * @example "gateway-7d9c5b"
   */
  host!: string;
  /** Its process id there. */
  @ApiProperty({ type: 'integer', example: 7 })
  pid!: number;
  /** The role: `api` serves requests, `worker` runs batches, `all` does both. */
  @ApiProperty({ enum: ['api', 'worker', 'all'], example: 'all' })
  role!: 'api' | 'worker' | 'all';
  /**
   * Version of the gateway.
   * @example "0.1.0"
   */
  version!: string;
  /**
   * The same in instances with the same providers, models and upstream settings.
   * @example "1f2e3d4c5b6a"
   */
  configuration_hash!: string;
  /** `missing`: no heartbeat for a minute. The process was killed, is suspended, or cannot reach the database. */
  @ApiProperty({ enum: ['running', 'missing'], example: 'running' })
  status!: 'running' | 'missing';
  /**
   * Whether it is the one that handles this request.
   * @example true
   */
  is_this!: boolean;
  /** When it started. */
  @ApiProperty({ type: 'integer', example: 1795478400 })
  started_at!: number;
  /** When its configuration was last reloaded; null if never. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  reloaded_at!: number | null;
  /** When it last sent a heartbeat. */
  @ApiProperty({ type: 'integer', example: 1795478460 })
  seen_at!: number;
}

/** All instances, the latest start first. */
export class InstanceListDto extends ListOf(InstanceDto, 'The instances.') {}
