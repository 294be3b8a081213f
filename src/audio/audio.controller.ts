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
import { MODEL_RESPONSE_HEADERS, ModelEndpoint } from '../model-endpoint/model-endpoint.decorator.js';
import { RawResponder, type ReadRequest } from '../model-endpoint/raw-responder.js';
import { Uploads } from '../model-endpoint/uploads.js';
import { SPEECH } from '../operations/speech/speech-operation.js';
import { readSpeechRequest } from '../operations/speech/speech-request.js';
import { TRANSCRIPTION } from '../operations/transcription/transcription-operation.js';
import {
  readTranscriptionRequest,
  TRANSCRIPTION_FIELDS,
  TRANSCRIPTION_FILES,
  type TranscriptionRequest,
} from '../operations/transcription/transcription-request.js';
import { CreateSpeechDto, CreateTranscriptionDto, CreateTranslationDto, TranscriptionDto } from './audio.dto.js';
import { SPEECH_EXAMPLES } from './audio.examples.js';

/** Media types of speech as providers send it. */
const SOUND_TYPES = ['mpeg', 'wav', 'pcm', 'opus', 'ogg', 'aac', 'flac'].map((name) => `audio/${name}`);
/** The fields that the gateway reads from a form with a recording. */
const RECORDING_FORM = { keep: TRANSCRIPTION_FIELDS, files: TRANSCRIPTION_FILES, maxFiles: 1 };

@ApiTags('Audio')
@ApiExtraModels(TranscriptionDto)
@Controller('v1/audio')
export class AudioController {
  constructor(
    private readonly responder: RawResponder,
    private readonly uploads: Uploads,
  ) {}

  @ApiOperation({
    summary: 'Create speech',
    description: [
      'Reads a text out. The sound is sent while it comes, in the format and with the media type of the provider. Where the',
      'provider ends early, the connection is closed: a response that ends is complete.',
      '',
      'With `stream_format: sse` it is `text/event-stream`: `speech.audio.delta` with pieces in base64, then',
      '`speech.audio.done` with the usage.',
    ].join('\n'),
  })
  @ApiBody({ type: CreateSpeechDto, examples: SPEECH_EXAMPLES })
  @ApiOkResponse({
    description: 'The sound, or its events.',
    headers: MODEL_RESPONSE_HEADERS,
    content: {
      ...Object.fromEntries(SOUND_TYPES.map((type) => [type, { schema: { type: 'string', format: 'binary' } }])),
      'text/event-stream': { schema: { type: 'string', description: 'Pieces of the sound, one an event.' } },
    },
  })
  @ModelEndpoint()
  @Post('speech')
  createSpeech(
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.respond(SPEECH, { principal, request, response }, () =>
      Promise.resolve({ request: readSpeechRequest(body), isStream: true }),
    );
  }

  @ApiOperation({
    summary: 'Transcribe a recording',
    description: [
      'Gives the text of a recording in its own language. The form is received whole, on disk where it is long, before a',
      'provider is called; the provider gets its bytes with another model alone.',
      '',
      'With `stream: true` the response is `text/event-stream`, for models that stream.',
    ].join('\n'),
  })
  @ApiConsumes('multipart/form-data')
  @ApiBody({ type: CreateTranscriptionDto })
  @ApiOkResponse(textResponse())
  @ModelEndpoint()
  @UploadBody('form')
  @Post('transcriptions')
  createTranscription(
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.respond(TRANSCRIPTION, { principal, request, response }, () =>
      this.read('transcription', request),
    );
  }

  @ApiOperation({ summary: 'Translate a recording', description: 'Gives the text of a recording in English.' })
  @ApiConsumes('multipart/form-data')
  @ApiBody({ type: CreateTranslationDto })
  @ApiOkResponse(textResponse())
  @ModelEndpoint()
  @UploadBody('form')
  @Post('translations')
  createTranslation(
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.respond(TRANSCRIPTION, { principal, request, response }, () =>
      this.read('translation', request),
    );
  }

  private read(kind: TranscriptionRequest['kind'], request: HttpRequest): Promise<ReadRequest<'transcription'>> {
    return this.uploads.read<'transcription'>(request, RECORDING_FORM, (upload) =>
      readTranscriptionRequest(kind, upload),
    );
  }
}

function textResponse(): object {
  return {
    description: 'The text in the format that was asked for, or its events.',
    headers: MODEL_RESPONSE_HEADERS,
    content: {
      'application/json': { schema: { $ref: getSchemaPath(TranscriptionDto) } },
      'text/plain': { schema: { type: 'string' } },
      'text/event-stream': { schema: { type: 'string', description: 'Pieces of the text, one an event.' } },
    },
  };
}
