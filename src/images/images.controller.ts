import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import { UploadBody } from '../http/json-body.interceptor.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { isFormDataType } from '../http/multipart/boundary.js';
import { MODEL_RESPONSE_HEADERS, ModelEndpoint } from '../model-endpoint/model-endpoint.decorator.js';
import { RawResponder, type ReadRequest } from '../model-endpoint/raw-responder.js';
import { Uploads } from '../model-endpoint/uploads.js';
import { IMAGES } from '../operations/images/image-operation.js';
import {
  IMAGE_FIELDS,
  IMAGE_FILES,
  readImageEdit,
  readImageGeneration,
  type FindDefaultModel,
} from '../operations/images/image-request.js';
import { servedDefault } from '../routing/default-model.js';
import { Routing } from '../routing/routing.service.js';
import { isObject } from '../runtime/json-value.js';
import { EditImagesDto, GenerateImagesDto, ImagesDto } from './images.dto.js';
import { IMAGE_EXAMPLES, IMAGE_STREAM_EXAMPLE } from './images.examples.js';

/** The fields that the gateway reads from an edit. OpenAI takes 16 images, the mask included. */
const IMAGE_FORM = { keep: IMAGE_FIELDS, files: IMAGE_FILES, maxFiles: 32 };

@ApiTags('Images')
@ApiExtraModels(ImagesDto)
@Controller('v1/images')
export class ImagesController {
  constructor(
    private readonly responder: RawResponder,
    private readonly uploads: Uploads,
    private readonly routing: Routing,
  ) {}

  private readonly findDefault: FindDefaultModel = (names) => servedDefault(this.routing.current, names);

  @ApiOperation({
    summary: 'Create images',
    description: [
      'Makes images from a text. Body and response travel through as they are; the gateway replaces the model alone.',
      '',
      'With `stream: true` the response is `text/event-stream`: a `image_generation.partial_image` for each preview, and a',
      '`image_generation.completed` for each image. A failure after the first event is `data: {"error": {...}}`.',
    ].join('\n'),
  })
  @ApiBody({ type: GenerateImagesDto, examples: IMAGE_EXAMPLES })
  @ApiOkResponse(imagesResponse())
  @ModelEndpoint()
  @Post('generations')
  generateImages(
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.respond(IMAGES, { principal, request, response }, () => {
      const read = readImageGeneration(body, this.findDefault);
      return Promise.resolve({ request: read, isStream: read.stream });
    });
  }

  @ApiOperation({
    summary: 'Edit images',
    description:
      'Changes the images of a form by a text. Where a provider takes addresses of images, the body may be JSON instead.',
  })
  @ApiConsumes('multipart/form-data')
  @ApiBody({ type: EditImagesDto })
  @ApiOkResponse(imagesResponse())
  @ModelEndpoint()
  @UploadBody('form-or-json')
  @Post('edits')
  editImages(
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.respond(IMAGES, { principal, request, response }, () => this.readEdit(request));
  }

  private readEdit(request: HttpRequest): Promise<ReadRequest<'images'>> {
    if (!isFormDataType(request.headers['content-type'] ?? '')) {
      const read = readImageEdit(isObject(request.body) ? request.body : {}, this.findDefault);
      return Promise.resolve({ request: read, isStream: read.stream });
    }
    return this.uploads.read<'images'>(request, IMAGE_FORM, (form) => readImageEdit(form, this.findDefault));
  }
}

function imagesResponse(): object {
  return {
    description: 'The images, or with `stream: true` their events.',
    headers: MODEL_RESPONSE_HEADERS,
    content: {
      'application/json': { schema: { $ref: getSchemaPath(ImagesDto) } },
      'text/event-stream': {
        schema: { type: 'string', description: 'Previews and images, one an event.' },
        example: IMAGE_STREAM_EXAMPLE,
      },
    },
  };
}
