import { Body, Controller, HttpCode, Param, Post, Req, UsePipes } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { ApiKeySecurity } from '../../auth/admin.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { UploadBody } from '../../http/json-body.interceptor.js';
import { StrictBodyPipe } from '../../http/strict-body.pipe.js';
import { AddUploadPartDto, CompleteUploadDto, CreateUploadDto, UploadDto, UploadPartDto } from './uploads.dto.js';
import { UploadsService } from './uploads.service.js';

const UPLOAD_ID = {
  name: 'upload_id',
  description: 'The id of the upload.',
  example: 'upload_68f0c1d2a3b4c5d6e7f80912',
};

@ApiTags('Uploads')
@ApiKeySecurity()
@UsePipes(StrictBodyPipe)
@Controller('v1/uploads')
export class UploadsController {
  constructor(private readonly uploads: UploadsService) {}

  @ApiOperation({
    summary: 'Create an upload',
    description: 'Begins a file that is uploaded in parts, for an hour. Its bytes count in `files.quota` from now on.',
  })
  @ApiBody({ type: CreateUploadDto })
  @ApiOkResponse({ type: UploadDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @HttpCode(200)
  @Post()
  createUpload(@Body() body: CreateUploadDto, @CurrentPrincipal() principal: Principal): Promise<UploadDto> {
    return this.uploads.create(body, principal);
  }

  @ApiOperation({
    summary: 'Add a part to an upload',
    description: 'At most 64 MB. Parts may be sent at once and in any order.',
  })
  @ApiParam(UPLOAD_ID)
  @ApiConsumes('multipart/form-data')
  @ApiBody({ type: AddUploadPartDto })
  @ApiOkResponse({ type: UploadPartDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @UploadBody('part')
  @HttpCode(200)
  @Post(':upload_id/parts')
  addUploadPart(
    @Param('upload_id') id: string,
    @Req() request: Request,
    @CurrentPrincipal() principal: Principal,
  ): Promise<UploadPartDto> {
    return this.uploads.addPart(id, request, principal);
  }

  @ApiOperation({
    summary: 'Complete an upload',
    description:
      'Makes the file of its parts, in the order of `part_ids`. Their bytes have to be those that were announced.',
  })
  @ApiParam(UPLOAD_ID)
  @ApiBody({ type: CompleteUploadDto })
  @ApiOkResponse({ type: UploadDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @HttpCode(200)
  @Post(':upload_id/complete')
  completeUpload(
    @Param('upload_id') id: string,
    @Body() body: CompleteUploadDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<UploadDto> {
    return this.uploads.complete(id, body, principal);
  }

  @ApiOperation({ summary: 'Cancel an upload', description: 'Deletes its parts. No more may be added.' })
  @ApiParam(UPLOAD_ID)
  @ApiOkResponse({ type: UploadDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @HttpCode(200)
  @Post(':upload_id/cancel')
  cancelUpload(@Param('upload_id') id: string, @CurrentPrincipal() principal: Principal): Promise<UploadDto> {
    return this.uploads.cancel(id, principal);
  }
}
