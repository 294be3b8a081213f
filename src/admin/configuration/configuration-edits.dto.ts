import { ApiProperty } from '@nestjs/swagger';
import { IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { IsNotBlank } from '../../http/is-not-blank.js';
import { ListOf } from '../../http/list-of.js';
import { CHANGE_KINDS, type ChangeKind } from './configuration-change.entity.js';

/** Longest text of gateway.yaml that is edited by the API, in characters. */
const MAX_TEXT_CHARACTERS = 256 * 1024;
const MAX_NOTE_CHARACTERS = 200;
const VERSION = /^[0-9a-f]{64}$/;
const EXAMPLE_VERSION = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const EXAMPLE_TEXT =
  'config:\n  editable: true\nproviders:\n  vllm:\n    base_url: http://127.0.0.1:8000/v1\n    api_key: <hidden:3f9a1c0b7d2e>\nmodels:\n  - id: fast\n    deployments:\n      - { provider: sandbox, model: echo }\n';

/** A text of gateway.yaml to check. */
export class CheckConfigurationDto {
  /** The whole text. `<hidden:...>` keeps the secret that the file has at this place. */
  @ApiProperty({ example: EXAMPLE_TEXT })
  @IsString()
  @MaxLength(MAX_TEXT_CHARACTERS)
  text!: string;
}

/** Which change to take again. */
export class RestoreConfigurationDto {
  /** The `version` of the file that the edit began with. */
  @ApiProperty({ example: EXAMPLE_VERSION, pattern: VERSION.source })
  @IsString()
  @Matches(VERSION, { message: '$property must be the version of GET /v1/admin/configuration/file' })
  version!: string;

  /** Why it is done, for the history. */
  @ApiProperty({ type: String, required: false, example: 'a second deployment of fast' })
  @IsOptional()
  @IsString()
  @IsNotBlank()
  @MaxLength(MAX_NOTE_CHARACTERS)
  note?: string;
}

/** A new text of gateway.yaml. */
export class EditConfigurationDto extends RestoreConfigurationDto {
  /** The whole text. `<hidden:...>` keeps the secret that the file has at this place. */
  @ApiProperty({ example: EXAMPLE_TEXT })
  @IsString()
  @MaxLength(MAX_TEXT_CHARACTERS)
  text!: string;
}

/** gateway.yaml as it is written. */
export class ConfigurationFileDto {
  /** Always `configuration_file`. */
  @ApiProperty({ enum: ['configuration_file'], example: 'configuration_file' })
  object!: 'configuration_file';
  /** The text with its comments and names of variables, and `<hidden:...>` in place of each secret. */
  @ApiProperty({ example: EXAMPLE_TEXT })
  text!: string;
  /** Of this text; an edit sends it back, and is refused where the file has changed meanwhile. */
  @ApiProperty({ example: EXAMPLE_VERSION })
  version!: string;
  /**
   * The machine whose file it is.
   * @example "gateway-1"
   */
  host!: string;
  /** Other machines with running instances. An edit reaches them only where they read the same file. */
  @ApiProperty({ type: [String], example: ['gateway-2'] })
  other_hosts!: string[];
}

/** A fault of a text. */
export class ConfigurationFaultDto {
  /**
   * Where it is in the file, or the variable that is at fault.
   * @example "models[0].deployments[0].provider"
   */
  path!: string;
  /** Line, from 1; null where it is in no line. */
  @ApiProperty({ type: 'integer', nullable: true, example: 11 })
  line!: number | null;
  /**
   * The fault, and its fix.
   * @example "there is no provider sandbx. Did you mean sandbox?"
   */
  message!: string;
}

/** A line of a comparison. */
export class ConfigurationDiffLineDto {
  /** Whether it is in both texts, or in one of them. */
  @ApiProperty({ enum: ['same', 'added', 'removed'], example: 'added' })
  kind!: 'same' | 'added' | 'removed';
  /** Number of the line in the file, from 1; null for an added one. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  before!: number | null;
  /** Number of the line in the new text; null for a removed one. */
  @ApiProperty({ type: 'integer', nullable: true, example: 8 })
  after!: number | null;
  /**
   * The line itself.
   * @example "  - id: fast"
   */
  text!: string;
}

/** What a text would mean. */
export class ConfigurationCheckDto {
  /** Always `configuration_check`. */
  @ApiProperty({ enum: ['configuration_check'], example: 'configuration_check' })
  object!: 'configuration_check';
  /**
   * Whether it can be applied.
   * @example true
   */
  valid!: boolean;
  /** All that is wrong with it. */
  @ApiProperty({ type: [ConfigurationFaultDto] })
  faults!: ConfigurationFaultDto[];
  /** Settings that would wait for a restart; the others apply at once. */
  @ApiProperty({ type: [String], example: ['server.drain_timeout'] })
  waiting_for_restart!: string[];
  /** The lines that differ from the file, with three around them. */
  @ApiProperty({ type: [ConfigurationDiffLineDto] })
  diff!: ConfigurationDiffLineDto[];
  /** Of the file that it was compared with. */
  @ApiProperty({ example: EXAMPLE_VERSION })
  version!: string;
}

/** A text that gateway.yaml had. */
export class ConfigurationChangeDto {
  /**
   * Id of the change.
   * @example "cfg_0123456789abcdef01234567"
   */
  id!: string;
  /** Always `configuration_change`. */
  @ApiProperty({ enum: ['configuration_change'], example: 'configuration_change' })
  object!: 'configuration_change';
  /** Unix seconds. */
  @ApiProperty({ type: 'integer', example: 1795478400 })
  created_at!: number;
  /** `found`: the file as it was before an edit, where it had been changed on the machine. */
  @ApiProperty({ enum: CHANGE_KINDS, example: 'edited' })
  kind!: ChangeKind;
  /**
   * Id of the key or of the person; `admin` is GATEWAY_ADMIN_KEY, `operator` a change on the machine.
   * @example "admin"
   */
  actor!: string;
  /** Its name at that time; null for `operator`. */
  @ApiProperty({ type: String, nullable: true, example: 'admin' })
  actor_name!: string | null;
  /**
   * The machine whose file it is.
   * @example "gateway-1"
   */
  host!: string;
  /** Why it was done; null where nothing was said. */
  @ApiProperty({ type: String, nullable: true, example: 'a second deployment of fast' })
  note!: string | null;
  /** Of the text. */
  @ApiProperty({ example: EXAMPLE_VERSION })
  version!: string;
  /** Id of the change whose text was taken again; null for others. */
  @ApiProperty({ type: String, nullable: true, example: null })
  restored_id!: string | null;
  /** Lines that it added. */
  @ApiProperty({ type: 'integer', example: 4 })
  added_lines!: number;
  /** Lines that it removed. */
  @ApiProperty({ type: 'integer', example: 1 })
  removed_lines!: number;
}

/** A page of changes, the newest first. */
export class ConfigurationChangeListDto extends ListOf(ConfigurationChangeDto, 'The changes of this page.') {}

/** A change with its text. */
export class ConfigurationChangeDetailsDto extends ConfigurationChangeDto {
  /** The whole text, with `<hidden:...>` in place of each secret. */
  @ApiProperty({ example: EXAMPLE_TEXT })
  text!: string;
  /** How the file would change if it were restored. */
  @ApiProperty({ type: [ConfigurationDiffLineDto] })
  diff!: ConfigurationDiffLineDto[];
}

/** An edit that was written. */
export class AppliedConfigurationDto extends ConfigurationChangeDto {
  /**
   * Whether the process that responds has taken it over. Where it has not within ten seconds, its log says why.
   * @example true
   */
  in_force!: boolean;
  /** Settings that wait for a restart. */
  @ApiProperty({ type: [String], example: [] })
  waiting_for_restart!: string[];
}
