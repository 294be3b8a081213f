import { ApiProperty } from '@nestjs/swagger';

/** What the tasks of one model are estimated to need. */
export class ModelEstimateDto {
  /** The model that the tasks name. */
  @ApiProperty({ example: 'sandbox/echo' })
  model!: string;
  /** Tasks that call it, without those that get the result of an identical one. */
  @ApiProperty({ type: 'integer', example: 2 })
  task_count!: number;
  /** Tokens of prompts, by four bytes a token, and of the longest responses. */
  @ApiProperty({ type: 'integer', example: 220 })
  tokens!: number;
  /** US dollars for these tokens at the model's first deployment; null where its price is not known. */
  @ApiProperty({ type: Number, nullable: true, example: 0.0004 })
  likely_cost_usd!: number | null;
  /** US dollars that the tasks cannot exceed, at the most expensive deployment, fallbacks included; null where a price is not known. */
  @ApiProperty({ type: Number, nullable: true, example: 0.0011 })
  worst_cost_usd!: number | null;
}

/** What a batch is estimated to need. Nothing of it is stored. */
export class BatchEstimateDto {
  /** Always `batch.estimate`. */
  @ApiProperty({ enum: ['batch.estimate'], example: 'batch.estimate' })
  object!: 'batch.estimate';
  /** The number of tasks of the batch. */
  @ApiProperty({ type: 'integer', example: 2 })
  task_count!: number;
  /** Tasks that would get the result of an identical one; 0 without `dedupe`. */
  @ApiProperty({ type: 'integer', example: 0 })
  duplicate_count!: number;
  /** Tokens of all prompts and longest responses. */
  @ApiProperty({ type: 'integer', example: 220 })
  tokens!: number;
  /** US dollars, likely; null where a price is not known. */
  @ApiProperty({ type: Number, nullable: true, example: 0.0004 })
  likely_cost_usd!: number | null;
  /** US dollars that the batch cannot exceed without retries; null where a price is not known. */
  @ApiProperty({ type: Number, nullable: true, example: 0.0011 })
  worst_cost_usd!: number | null;
  /** Whether `max_cost_usd` covers the worst case, so that no task ends because of it; null without it. */
  @ApiProperty({ type: Boolean, nullable: true, example: null })
  is_covered!: boolean | null;
  /** Seconds that the batch takes at least at its `rate`, without closed windows; null without a rate. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  seconds_at_rate!: number | null;
  /** The Unix timestamp (in seconds) at which its first task may start. */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  starts_at!: number;
  /** By model, in the order in which they are named first. */
  @ApiProperty({ type: [ModelEstimateDto] })
  models!: ModelEstimateDto[];
}
