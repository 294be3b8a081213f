import { ApiProperty } from '@nestjs/swagger';

/** A setting that is not at its default. */
export class ChangedSettingDto {
  /**
   * Its key in gateway.yaml, or its variable where the file has no such key.
   * @example "server.host"
   */
  name!: string;
  /**
   * Its value, `set` for a secret.
   * @example "0.0.0.0"
   */
  value!: string;
  /**
   * The file with the line, or the variable.
   * @example "gateway.yaml:3"
   */
  from!: string;
}

/** The configuration in force. */
export class ConfigurationDto {
  /** Always `configuration`. */
  @ApiProperty({ enum: ['configuration'], example: 'configuration' })
  object!: 'configuration';
  /**
   * Short hash of providers, models and upstream settings, as `GET /v1/admin/instances` lists it of every process.
   * @example "3f9a1c0b7d2e"
   */
  hash!: string;
  /** When providers, models and upstream settings were last replaced, in Unix seconds; null since the start. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  reloaded_at!: number | null;
  /**
   * The text of gateway.yaml with the values in force, `<hidden>` for secrets. Empty where there is no file.
   * @example "server:\n  host: 0.0.0.0\n"
   */
  yaml!: string;
  /**
   * Whether administrators may edit gateway.yaml by the API.
   * @example true
   */
  editable!: boolean;
  /** Why not, and what to do; null where it is editable. */
  @ApiProperty({ type: String, nullable: true, example: null })
  read_only_because!: string | null;
  /** Settings of the start that are not at their defaults, and where each comes from: the environment takes precedence over the file. */
  @ApiProperty({ type: [ChangedSettingDto] })
  settings!: ChangedSettingDto[];
}
