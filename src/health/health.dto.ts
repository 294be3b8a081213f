import { ApiProperty } from '@nestjs/swagger';

/** The state of the service. */
export class HealthDto {
  /**
   * The status of the service: `ok`, or `draining` once it is shutting down.
   * @example "ok"
   */
  @ApiProperty({ enum: ['ok', 'draining'] })
  status!: 'ok' | 'draining';
  /**
   * The name of the service.
   * @example "llm-gateway"
   */
  service!: string;
  /**
   * The version of the service.
   * @example "0.1.0"
   */
  version!: string;
  /**
   * When the health check was performed, in Unix seconds.
   * @example 1767225600
   */
  @ApiProperty({ type: 'integer' })
  timestamp!: number;
}
