import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { IsNotBlank } from '../../http/is-not-blank.js';
import { MAX_DEPLOYMENT_ID_CHARACTERS } from './deployment-drain.entity.js';

const MAX_REASON_CHARACTERS = 200;
const MAX_DRAIN_SECONDS = 30 * 86_400;

/** Which deployment to use again. */
export class EnableDeploymentDto {
  /** Its id, as the list of deployments has it: the provider and the model's id there. */
  @ApiProperty({ example: 'sandbox/slow' })
  @IsString()
  @IsNotBlank()
  @MaxLength(MAX_DEPLOYMENT_ID_CHARACTERS)
  deployment!: string;
}

/** Which deployment to take out of service. */
export class DrainDeploymentDto extends EnableDeploymentDto {
  /** Why, for the list and the audit log. */
  @ApiProperty({ type: String, required: false, example: 'maintenance of the provider' })
  @IsOptional()
  @IsString()
  @IsNotBlank()
  @MaxLength(MAX_REASON_CHARACTERS)
  reason?: string;

  /** Seconds after which it is used again by itself; 30 days at most. Absent: when it is enabled. */
  @ApiProperty({ type: 'integer', required: false, example: 3_600 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_DRAIN_SECONDS)
  expires_in?: number;
}

/** Why a deployment is out of service. */
export class DeploymentDrainDto {
  /** Id of the key, or of the person, that drained it. */
  @ApiProperty({ example: 'admin' })
  actor!: string;
  /** Name of the key or of the person at that time. */
  @ApiProperty({ example: 'GATEWAY_ADMIN_KEY' })
  actor_name!: string;
  /** Unix seconds. */
  @ApiProperty({ type: 'integer', example: 1795478400 })
  created_at!: number;
  /** When it is used again by itself, in Unix seconds; null for never. */
  @ApiProperty({ type: 'integer', nullable: true, example: 1795482000 })
  expires_at!: number | null;
  /** Null where none was given. */
  @ApiProperty({ type: String, nullable: true, example: 'maintenance of the provider' })
  reason!: string | null;
  /** The configuration no longer has the deployment. If it has it again, it is still drained. */
  @ApiProperty({ example: false })
  is_stale!: boolean;
}

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
  /** Set while an administrator has taken it out of service: it gets no new call, and calls in flight end as usual. */
  @ApiProperty({ type: DeploymentDrainDto, nullable: true, example: null })
  drain!: DeploymentDrainDto | null;
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

/** All deployments that are configured, were called or are drained. */
export class DeploymentListDto {
  /** Always `list`. */
  @ApiProperty({ enum: ['list'], example: 'list' })
  object!: 'list';
  /** The deployments, in the order of their ids. */
  data!: DeploymentDto[];
}
