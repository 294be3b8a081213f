import { ListOf } from '../../http/list-of.js';
import { ApiProperty } from '@nestjs/swagger';

/** Sums of a time and a group. */
export class UsageRowDto {
  /** When the row's time begins, in Unix seconds. */
  @ApiProperty({ type: 'integer', example: 1795392000 })
  bucket!: number;
  /** The same in ISO 8601, in UTC. */
  @ApiProperty({ example: '2026-11-23T00:00:00Z' })
  date!: string;
  /**
   * The row's value of the first dimension of `group_by`: id of a key or group, name of an operation, model or provider, the end
   * user, the session or agent, a wire format or service tier, or the member of the metadata; null if it has none.
   */
  @ApiProperty({ type: String, nullable: true, example: 'sandbox/echo' })
  group!: string | null;
  /** The name of the key or group in `group`, if it is one and still exists. */
  @ApiProperty({ type: String, nullable: true, example: null })
  group_name!: string | null;
  /** The row's value of each dimension of `group_by`. */
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string', nullable: true },
    example: { model: 'sandbox/echo' },
  })
  groups!: Record<string, string | null>;
  /** Number of requests; abandoned attempts that were retried elsewhere do not count separately. */
  @ApiProperty({ type: 'integer', example: 12 })
  requests!: number;
  /** Failed requests, without those whose client disconnected. */
  @ApiProperty({ type: 'integer', example: 0 })
  failed_requests!: number;
  /** Prompt tokens of all requests, including attempts that were abandoned and retried. */
  @ApiProperty({ type: 'integer', example: 120 })
  prompt_tokens!: number;
  /** Tokens of all responses. */
  @ApiProperty({ type: 'integer', example: 240 })
  completion_tokens!: number;
  /** Total tokens as the providers reported them. */
  @ApiProperty({ type: 'integer', example: 360 })
  total_tokens!: number;
  /** Prompt tokens read from providers' caches. */
  @ApiProperty({ type: 'integer', example: 0 })
  cached_tokens!: number;
  /** Prompt tokens written into providers' caches. */
  @ApiProperty({ type: 'integer', example: 0 })
  cache_write_tokens!: number;
  /** Generated images. */
  @ApiProperty({ type: 'integer', example: 0 })
  images!: number;
  /** Seconds of sound, sent or generated. */
  @ApiProperty({ type: Number, example: 0 })
  audio_seconds!: number;
  /** Characters turned into speech. */
  @ApiProperty({ type: 'integer', example: 0 })
  characters!: number;
  /** Search units of reranking. */
  @ApiProperty({ type: 'integer', example: 0 })
  search_units!: number;
  /** Searches of the web that providers made for chat calls. */
  @ApiProperty({ type: 'integer', example: 0 })
  web_searches!: number;
  /** US dollars of the requests whose price is known. */
  @ApiProperty({ type: Number, example: 0.00051 })
  cost_usd!: number;
  /** Requests, or retried attempts, that consumed tokens but have no known price; their cost is not in `cost_usd`. */
  @ApiProperty({ type: 'integer', example: 0 })
  unpriced_requests!: number;
  /** Requests, or retried attempts, whose tokens are estimates, because the provider reported none. */
  @ApiProperty({ type: 'integer', example: 0 })
  estimated_requests!: number;
}

/** Sums, the latest first. */
export class UsageRowListDto extends ListOf(UsageRowDto, 'The rows of this page.') {}
