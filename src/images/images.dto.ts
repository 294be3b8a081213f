import { ApiProperty } from '@nestjs/swagger';
import { OpenObject } from '../openapi/open-object.decorator.js';

/** The fields of an image request. Other fields are passed on to the provider. */
export class GenerateImagesDto {
  /**
   * The id of the model. Default `gpt-image-1.5`, or `openai/gpt-image-1.5`; a generation without a field of the GPT image models
   * has `dall-e-2` where it is served.
   * @example "sandbox/image"
   */
  @ApiProperty({ minLength: 1 })
  model?: string | null;

  /**
   * The description of the image.
   * @example "A lighthouse at dusk"
   */
  @ApiProperty({ minLength: 1 })
  prompt!: string;

  /** How many images. */
  @ApiProperty({ required: false, nullable: true, type: 'integer', minimum: 1, maximum: 100, default: 1, example: 1 })
  n?: number | null;

  /**
   * Width and height, such as `1024x1024`, or `auto`.
   * @example "256x256"
   */
  size?: string | null;

  /**
   * Such as `low`, `medium`, `high` or `auto`; what there is depends on the model.
   * @example "auto"
   */
  quality?: string | null;

  /**
   * `b64_json` or `url`, where the model has a choice. The sandbox has `b64_json` alone.
   * @example "b64_json"
   */
  response_format?: string | null;

  /**
   * `png`, `jpeg` or `webp`, where the model has a choice. The sandbox makes `png` alone.
   * @example "png"
   */
  output_format?: string | null;

  /**
   * `transparent`, `opaque` or `auto`.
   * @example "opaque"
   */
  background?: string | null;

  /**
   * Whether the images come as events.
   * @example false
   */
  stream?: boolean | null;

  /** Previews of each image in a stream. */
  @ApiProperty({ required: false, nullable: true, type: 'integer', minimum: 0, maximum: 3, example: 0 })
  partial_images?: number | null;

  /**
   * Your own id of the end user.
   * @example "user-42"
   */
  user?: string | null;
}

/** The form of an edit: the fields of a generation, and images. */
export class EditImagesDto extends GenerateImagesDto {
  /** The image to change. Several are sent as `image[]`. */
  @ApiProperty({ type: 'string', format: 'binary', minLength: 1 })
  image!: unknown;

  /** A PNG whose transparent parts say where the image is changed. */
  @ApiProperty({ type: 'string', format: 'binary', required: false })
  mask?: unknown;
}

/** One image. */
@OpenObject()
export class ImageDto {
  /**
   * The image in base64.
   * @example "iVBORw0KGgo..."
   */
  b64_json?: string;

  /**
   * Where the image is, for models that say it.
   * @example "https://images.example.com/1.png"
   */
  url?: string;

  /**
   * The prompt that the model made of the client's.
   * @example "A lighthouse on a cliff at dusk"
   */
  revised_prompt?: string;
}

/** The provider's response, as it came. */
@OpenObject()
export class ImagesDto {
  /**
   * Unix seconds.
   * @example 1767225600
   */
  created!: number;

  /** The images, as many as were asked for. */
  data!: ImageDto[];

  /** Tokens, where the provider reports them. */
  @ApiProperty({
    selfRequired: false,
    type: 'object',
    additionalProperties: true,
    example: { input_tokens: 4, output_tokens: 272, total_tokens: 276 },
  })
  usage?: object;
}
