import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsObject, IsOptional } from 'class-validator';
import { IsSmallObject } from '../http/is-small-object.js';

/** Fields of a request for a model that the gateway itself reads. */
export class GatewayFieldsDto {
  /**
   * Any JSON object of at most 16 KB. It is kept with the usage record. Only a chat completion with `store: true` sends it to
   * the provider.
   */
  @ApiProperty({
    selfRequired: false,
    nullable: true,
    type: 'object',
    additionalProperties: true,
    example: { ticket: 'T-1' },
  })
  @IsOptional()
  @IsObject()
  @IsSmallObject()
  metadata?: Record<string, unknown> | null;

  /**
   * Whether a parameter that the provider cannot take is a 400. Otherwise it is left out and named in
   * `x-gateway-dropped-params`.
   * @example false
   */
  @IsOptional()
  @IsBoolean()
  strict_params?: boolean | null;
}
