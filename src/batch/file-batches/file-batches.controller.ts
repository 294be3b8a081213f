import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, UsePipes } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { ApiKeySecurity } from '../../auth/admin.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { PageQueryDto } from '../../http/page-query.dto.js';
import { StrictBodyPipe } from '../../http/strict-body.pipe.js';
import { CreateFileBatchDto, FileBatchDto, FileBatchListDto } from './file-batches.dto.js';
import { FileBatchesService } from './file-batches.service.js';

const BATCH_ID = { name: 'batch_id', description: 'The id of the batch.', example: 'batch_68f0c1d2a3b4c5d6e7f80912' };

@ApiTags('File Batches')
@ApiKeySecurity()
@UsePipes(StrictBodyPipe)
@Controller('v1/batches')
export class FileBatchesController {
  constructor(private readonly batches: FileBatchesService) {}

  @ApiOperation({
    summary: 'Create a batch of a file',
    description: [
      "OpenAI's Batch API on any model: each line of an uploaded file (POST /v1/files, purpose `batch`) is a request with its own model.",
      'The file is validated after the response: then the batch is `in_progress`, or `failed` with the lines at fault in `errors`.',
      'It runs as a job of the batch engine (see POST /v1/batch/generate), and survives crashes and restarts.',
    ].join('\n'),
  })
  @ApiBody({ type: CreateFileBatchDto })
  @ApiOkResponse({ type: FileBatchDto, headers: REQUEST_ID_HEADER })
  @ApiErrors(404, 409)
  @HttpCode(200)
  @Post()
  createFileBatch(
    @Body() body: CreateFileBatchDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
  ): Promise<FileBatchDto> {
    return this.batches.create(body, principal, request);
  }

  @ApiOperation({
    summary: 'List batches of files',
    description: "The key's own batches that were made here, newest first.",
  })
  @ApiOkResponse({ type: FileBatchListDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Get()
  listFileBatches(@Query() query: PageQueryDto, @CurrentPrincipal() principal: Principal): Promise<FileBatchListDto> {
    return this.batches.list(query, principal);
  }

  @ApiOperation({
    summary: 'Read a batch of a file',
    description: 'Its state, with counts as they are now. A batch of another key is a 404, as an unknown one.',
  })
  @ApiParam(BATCH_ID)
  @ApiOkResponse({ type: FileBatchDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Get(':batch_id')
  readFileBatch(@Param('batch_id') id: string, @CurrentPrincipal() principal: Principal): Promise<FileBatchDto> {
    return this.batches.retrieve(id, principal);
  }

  @ApiOperation({
    summary: 'Cancel a batch of a file',
    description:
      'No further request starts, and running ones are aborted. Existing responses are in the output file, other requests in the error file as `batch_cancelled`.',
  })
  @ApiParam(BATCH_ID)
  @ApiOkResponse({ type: FileBatchDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @HttpCode(200)
  @Post(':batch_id/cancel')
  cancelFileBatch(@Param('batch_id') id: string, @CurrentPrincipal() principal: Principal): Promise<FileBatchDto> {
    return this.batches.cancel(id, principal);
  }
}
