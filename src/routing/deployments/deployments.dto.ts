import { ApiProperty } from '@nestjs/swagger';

/** The state of one deployment in this process. */
export class DeploymentDto {
  /** The provider and the model's id there. */
  @ApiProperty({ example: 'openai/gpt-5-mini' })
  id!: string;
  /** Ids of the configured models that run on it. */
  @ApiProperty({ type: [String], example: ['fast'] })
  models!: string[];
  /**
   * `closed`: in use. `open`: not called after several failures in a row. `half_open`: one call at a time tests whether it has
   * recovered.
   */
  @ApiProperty({ enum: ['closed', 'open', 'half_open'], example: 'closed' })
  breaker!: string;
  /**
   * Milliseconds until it may be called again, because the breaker is open, the provider asked for a pause or the account has no quota
   * left; otherwise 0.
   */
  @ApiProperty({ type: 'integer', example: 0 })
  retry_in_ms!: number;
  /** Milliseconds until it is tried again because its account has no quota or credit left; 0 while it has. */
  @ApiProperty({ type: 'integer', example: 0 })
  out_of_quota_ms!: number;
  /** Milliseconds until the reset of a rate limit of which nothing is left, as its responses say; others are called first. */
  @ApiProperty({ type: 'integer', example: 0 })
  rate_limit_reset_ms!: number;
  /** Ids of the models whose other deployments are called first, because this one fails more often or responds more slowly. */
  @ApiProperty({ type: [String], example: [] })
  ejected_from!: string[];
  /** Share of its weight that it gets, 0.1 to 1: less than 1 for a while after it has recovered. */
  @ApiProperty({ type: Number, example: 1 })
  share!: number;
  /** Calls in flight. */
  @ApiProperty({ type: 'integer', example: 0 })
  in_flight!: number;
  /** Most concurrent calls of one process; null for no limit. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  concurrency!: number | null;
  /** Calls that wait for a slot at the models that run on it. */
  @ApiProperty({ type: 'integer', example: 0 })
  waiting!: number;
  /** Average time to first byte in milliseconds, weighted towards the latest calls; null before the first. */
  @ApiProperty({ type: Number, nullable: true, example: 412.5 })
  first_byte_ms!: number | null;
  /** Average duration of a whole call in milliseconds, weighted towards the latest; null before the first has ended. */
  @ApiProperty({ type: Number, nullable: true, example: 1830.2 })
  call_ms!: number | null;
  /** Calls of the last five minutes that succeeded. */
  @ApiProperty({ type: 'integer', example: 120 })
  recent_succeeded!: number;
  /** Calls of the last five minutes that failed because of the deployment. */
  @ApiProperty({ type: 'integer', example: 1 })
  recent_failed!: number;
  /** Share of the calls of the last five minutes that failed, 0 to 1; null when there were none. */
  @ApiProperty({ type: Number, nullable: true, example: 0.008 })
  recent_error_rate!: number | null;
  /** Code of the last failure; null when there was none. */
  @ApiProperty({ type: String, nullable: true, example: 'upstream_timeout' })
  last_error!: string | null;
}

/** All deployments that are configured or were called. */
export class DeploymentListDto {
  /** Always `list`. */
  @ApiProperty({ enum: ['list'], example: 'list' })
  object!: 'list';
  /** The deployments, in the order of their ids. */
  data!: DeploymentDto[];
}
