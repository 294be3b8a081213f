import { Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ApiKeySecurity } from '../auth/admin.decorator.js';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import { UploadBody } from '../http/json-body.interceptor.js';
import { StrictBodyPipe } from '../http/strict-body.pipe.js';
import { sendContent } from './send-content.js';
import { DeletedFileDto, FileDto, FileListDto, FilePageDto, UploadFileDto } from './files.dto.js';
import { isGrowing } from './file-form.js';
import { FilesService } from './files.service.js';

const FILE_ID = { name: 'file_id', description: 'The id of the file.', example: 'file-68f0c1d2a3b4c5d6e7f80912' };

@ApiTags('Files')
@ApiKeySecurity()
@UsePipes(StrictBodyPipe)
@Controller('v1/files')
export class FilesController {
  constructor(private readonly files: FilesService) {}

  @ApiOperation({
    summary: 'Upload a file',
    description:
      'Keeps a file for later requests of the same key. `files.max_size` bounds one file, and `files.quota` all files of a key.',
  })
  @ApiConsumes('multipart/form-data')
  @ApiBody({ type: UploadFileDto })
  @ApiOkResponse({ type: FileDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @UploadBody('file')
  @HttpCode(200)
  @Post()
  uploadFile(@Req() request: Request, @CurrentPrincipal() principal: Principal): Promise<FileDto> {
    return this.files.upload(request, principal);
  }

  @ApiOperation({ summary: 'List files', description: "The key's own files, newest first unless `order` is `asc`." })
  @ApiOkResponse({ type: FileListDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Get()
  listFiles(@Query() query: FilePageDto, @CurrentPrincipal() principal: Principal): Promise<FileListDto> {
    return this.files.list(query, principal);
  }

  @ApiOperation({ summary: 'Read a file', description: 'A file of another key is a 404, as an unknown one.' })
  @ApiParam(FILE_ID)
  @ApiOkResponse({ type: FileDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Get(':file_id')
  readFile(@Param('file_id') id: string, @CurrentPrincipal() principal: Principal): Promise<FileDto> {
    return this.files.retrieve(id, principal);
  }

  @ApiOperation({ summary: 'Delete a file', description: 'Deletes the file and its content.' })
  @ApiParam(FILE_ID)
  @ApiOkResponse({ type: DeletedFileDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Delete(':file_id')
  deleteFile(@Param('file_id') id: string, @CurrentPrincipal() principal: Principal): Promise<DeletedFileDto> {
    return this.files.delete(id, principal);
  }

  @ApiOperation({ summary: 'Download a file', description: 'The bytes that were uploaded.' })
  @ApiParam(FILE_ID)
  @ApiOkResponse({
    description: 'The content.',
    headers: REQUEST_ID_HEADER,
    content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
  })
  @ApiErrors()
  @Get(':file_id/content')
  async downloadFile(
    @Param('file_id') id: string,
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const file = await this.files.own(id, principal);
    await sendContent(response, {
      bytes: isGrowing(file) ? undefined : file.bytes,
      isHead: request.method === 'HEAD',
      content: () => this.files.content(file),
    });
  }
}
