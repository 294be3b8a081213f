import { ApiProperty } from '@nestjs/swagger';
import { IsNotEmpty, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { ListOf } from '../../http/list-of.js';

/** Characters that a header can carry. */
const KEY_PATTERN = /^[\x21-\x7e]+$/;

/** A provider that needs nothing but a key. */
export class KnownProviderDto {
  /**
   * The name of its entry under `providers:`.
   * @example "openai"
   */
  name!: string;
  /** Always `known_provider`. */
  @ApiProperty({ enum: ['known_provider'], example: 'known_provider' })
  object!: 'known_provider';
  /**
   * Its own spelling of its name.
   * @example "OpenAI"
   */
  title!: string;
  /**
   * The variable that switches it on at the next start, with its key as the value.
   * @example "OPENAI_API_KEY"
   */
  key_variable!: string;
  /**
   * Its documentation.
   * @example "https://platform.openai.com/docs/api-reference"
   */
  documentation!: string;
  /**
   * Whether the configuration in force has a provider of this name.
   * @example false
   */
  is_set_up!: boolean;
  /**
   * Whether a test of a key needs a model, because the provider has no list of models, or shows it to anyone.
   * @example false
   */
  test_needs_model!: boolean;
}

/** All providers that need nothing but a key. */
export class KnownProviderListDto extends ListOf(KnownProviderDto, 'The providers, by name.') {}

/** A key to test. */
export class TestProviderKeyDto {
  /**
   * The key. It is sent to the provider's address, or the one to which a variable such as `OPENAI_BASE_URL` moves it, and neither stored nor logged.
   * @example "sk-0123456789abcdef"
   */
  @ApiProperty({ type: String, writeOnly: true, minLength: 1, maxLength: 1024, example: 'sk-0123456789abcdef' })
  @IsString()
  @IsNotEmpty()
  @MaxLength(1024)
  @Matches(KEY_PATTERN, { message: 'must be a key without spaces and line breaks, in ASCII' })
  api_key!: string;

  /**
   * A model's id at the provider: it is asked for one short response, which the provider bills; it is not part of the usage. Absent:
   * only the provider's list of models is read, which costs nothing.
   * @example "gpt-5-mini"
   */
  @ApiProperty({ type: String, required: false, maxLength: 256, example: 'gpt-5-mini' })
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(256)
  model?: string;
}
