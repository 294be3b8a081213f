import { ApiProperty } from '@nestjs/swagger';

/** One message of the conversation. Fields that are not named here travel through untouched. */
export class ChatMessageDto {
  /**
   * The role of the author: `developer`, `system`, `user`, `assistant`, `tool`, `function`. Other roles are passed to providers
   * of OpenAI's format, and refused for others.
   */
  @ApiProperty({ minLength: 1, maxLength: 64, example: 'user' })
  role!: string;

  /**
   * The text, or an array of parts of the types `text`, `image_url`, `input_audio`, `file` and `refusal`; null for an
   * assistant message alone. Parts of other types, such as vLLM's `audio_url` and `video_url`, pass to providers of
   * OpenAI's format, and are refused elsewhere. Addresses are passed on, never fetched by the gateway.
   */
  @ApiProperty({
    required: false,
    nullable: true,
    oneOf: [
      { type: 'string' },
      {
        type: 'array',
        items: {
          type: 'object',
          required: ['type'],
          properties: { type: { type: 'string', minLength: 1, maxLength: 64, example: 'text' } },
          additionalProperties: true,
        },
      },
    ],
    example: 'Say hello to Ada.',
  })
  content?: unknown;

  /** The name of the speaker, for models that distinguish several speakers. A text or null in every role. */
  name?: string;

  /** The calls that the assistant made, as the response had them. */
  @ApiProperty({ required: false, type: 'array', items: { type: 'object', additionalProperties: true } })
  tool_calls?: unknown;

  /** For the role `tool`, which must have it: the id of the call to which this message is the result. A text or null in other roles. */
  tool_call_id?: string;
}
