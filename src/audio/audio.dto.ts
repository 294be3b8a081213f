import { ApiProperty } from '@nestjs/swagger';
import { OpenObject } from '../openapi/open-object.decorator.js';

/** The fields of a speech request. Other fields are passed on to the provider. */
export class CreateSpeechDto {
  /**
   * The id of the model.
   * @example "sandbox/speech"
   */
  @ApiProperty({ minLength: 1 })
  model!: string;

  /**
   * The text that is read out.
   * @example "Hello from the sandbox."
   */
  @ApiProperty({ minLength: 1 })
  input!: string;

  /** A voice of the model: its name, or `{"id": "voice_1234"}`. */
  @ApiProperty({
    required: false,
    oneOf: [{ type: 'string' }, { type: 'object', additionalProperties: true }],
    example: 'alloy',
  })
  voice?: unknown;

  /**
   * How the text is read, for models that take it.
   * @example "Read it slowly."
   */
  instructions?: string | null;

  /**
   * Such as `mp3`, `opus`, `aac`, `flac`, `wav` or `pcm`. The sandbox makes `wav` and `pcm` alone, and `wav` where it is absent.
   * @example "wav"
   */
  response_format?: string | null;

  /** 1 is normal. */
  @ApiProperty({ required: false, nullable: true, type: 'number', minimum: 0.01, maximum: 100, example: 1 })
  speed?: number | null;

  /** `sse` sends the sound as events in base64. */
  @ApiProperty({ required: false, nullable: true, enum: ['audio', 'sse'], default: 'audio', example: 'audio' })
  stream_format?: 'audio' | 'sse' | null;

  /**
   * Your own id of the end user.
   * @example "user-42"
   */
  user?: string | null;
}

/** The form of a translation. Other fields travel through to the provider. */
export class CreateTranslationDto {
  /** The recording. */
  @ApiProperty({ type: 'string', format: 'binary', minLength: 1 })
  file!: unknown;

  /**
   * The id of the model.
   * @example "sandbox/transcribe"
   */
  @ApiProperty({ minLength: 1 })
  model!: string;

  /**
   * Text that the recording continues, or words that it has.
   * @example "The meeting of the harbour board"
   */
  prompt?: string;

  /**
   * Such as `json`, `text`, `srt`, `vtt` or `verbose_json`; what there is depends on the model.
   * @example "json"
   */
  response_format?: string;

  /** From 0 to 2. */
  @ApiProperty({ required: false, type: 'number', minimum: 0, maximum: 2, example: 0 })
  temperature?: number;
}

/** The form of a transcription. Other fields, such as `timestamp_granularities[]`, travel through to the provider. */
export class CreateTranscriptionDto extends CreateTranslationDto {
  /**
   * The language of the recording, as ISO 639-1.
   * @example "en"
   */
  language?: string;

  /**
   * Whether the text comes as events, for models that stream.
   * @example false
   */
  stream?: boolean;
}

/** The provider's response, as it came, in the format `json`. */
@OpenObject()
export class TranscriptionDto {
  /**
   * The words that were recognised.
   * @example "Sandbox transcription of hello.wav, which lasts 1.4 seconds."
   */
  text!: string;

  /** Tokens or seconds, where the provider reports them. */
  @ApiProperty({
    selfRequired: false,
    type: 'object',
    additionalProperties: true,
    example: { type: 'duration', seconds: 2 },
  })
  usage?: object;
}
