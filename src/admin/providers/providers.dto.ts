import { ListOf } from '../../http/list-of.js';
import { ApiProperty } from '@nestjs/swagger';
import { IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';

/** A provider of the configuration, without its key. */
export class ProviderDto {
  /**
   * Its name under `providers:`.
   * @example "sandbox"
   */
  name!: string;
  /** Always `provider`. */
  @ApiProperty({ enum: ['provider'], example: 'provider' })
  object!: 'provider';
  /**
   * The wire format of the provider.
   * @example "sandbox"
   */
  type!: string;
  /**
   * Whether a key is configured.
   * @example false
   */
  has_key!: boolean;
  /** How many deployments of configured models call it. */
  @ApiProperty({ type: 'integer', example: 0 })
  deployments!: number;
}

/** All providers of the configuration. */
export class ProviderListDto extends ListOf(ProviderDto, 'The providers.') {}

/** How to test a provider. */
export class TestProviderDto {
  /**
   * A model's id at the provider: it is asked for one short response, which is billed and recorded as any other call. Absent: only the
   * provider's list of models is read, which costs nothing.
   * @example "echo"
   */
  @ApiProperty({ type: String, required: false, example: 'echo' })
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(256)
  model?: string;
}

/** Why a test failed. */
export class ProviderTestErrorDto {
  /** The HTTP status that a client would get. */
  @ApiProperty({ type: 'integer', example: 502 })
  status!: number;
  /** The error's code. */
  @ApiProperty({ type: String, nullable: true, example: 'upstream_error' })
  code!: string | null;
  /**
   * The error, with the provider's own words, without keys and addresses.
   * @example "The provider refused the credentials (HTTP 401). It responded: Incorrect API key provided."
   */
  message!: string;
}

/** The result of the test of a provider. */
export class ProviderTestDto {
  /** Always `provider_test`. */
  @ApiProperty({ enum: ['provider_test'], example: 'provider_test' })
  object!: 'provider_test';
  /**
   * The provider's name.
   * @example "sandbox"
   */
  provider!: string;
  /** The kind of test: the list of models, or a response of a model. */
  @ApiProperty({ enum: ['models', 'chat'], example: 'chat' })
  checked!: 'models' | 'chat';
  /**
   * Whether it responded as expected.
   * @example true
   */
  ok!: boolean;
  /** Milliseconds to the response or the failure. */
  @ApiProperty({ type: 'integer', example: 12 })
  latency_ms!: number;
  /** How many models it lists; null where a model was tested. 0: it has no list, or lists nothing. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  model_count!: number | null;
  /** Null where the test succeeded. */
  @ApiProperty({ type: ProviderTestErrorDto, nullable: true, example: null })
  error!: ProviderTestErrorDto | null;
}
