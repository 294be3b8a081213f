import { Admin } from '../auth/admin.decorator.js';
import { Body, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiParam, getSchemaPath } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import { AdminBatchDto, AdminBatchListDto, AdminBatchQueryDto, UpdateBatchDto } from './admin-batches.dto.js';
import { AdminBatchesService } from './admin-batches.service.js';
import { BatchResponder } from './batch-responder.js';
import { TaskResultDto } from './task-result.dto.js';
import { RESULTS_EXAMPLE } from './batch.examples.js';

const headers = REQUEST_ID_HEADER;
const JobId = (): MethodDecorator =>
  ApiParam({ name: 'job_id', description: 'The ID of the batch job.', example: 'batch_68f0c1d2a3b4c5d6e7f80912' });

@ApiExtraModels(TaskResultDto)
@Admin('Admin: batches', 'v1/admin/batches')
export class AdminBatchesController {
  constructor(
    private readonly batches: AdminBatchesService,
    private readonly responder: BatchResponder,
  ) {}

  @ApiOperation({
    summary: 'List the batches of all keys',
    description: 'Newest first, with age and rate, and how much waits. Prompts and responses are not shown.',
  })
  @ApiOkResponse({ type: AdminBatchListDto, headers })
  @ApiErrors()
  @Get()
  listAllBatches(@Query() query: AdminBatchQueryDto): Promise<AdminBatchListDto> {
    return this.batches.list(query);
  }

  @ApiOperation({
    summary: 'Read the batch of any key',
    description: 'State and counts, without prompts and results.',
  })
  @JobId()
  @ApiOkResponse({ type: AdminBatchDto, headers })
  @ApiErrors()
  @Get(':job_id')
  readAnyBatch(@Param('job_id') jobId: string): Promise<AdminBatchDto> {
    return this.batches.find(jobId);
  }

  @ApiOperation({
    summary: 'Stream the results of the batch of any key',
    description: 'As `GET /v1/batch/{job_id}/results`. Each call is in the audit log as `batch.read`.',
  })
  @JobId()
  @ApiOkResponse({
    description: 'One TaskResultDto a line.',
    headers,
    content: {
      'application/x-ndjson': { schema: { $ref: getSchemaPath(TaskResultDto) }, example: RESULTS_EXAMPLE },
    },
  })
  @ApiErrors(429)
  @Get(':job_id/results')
  async streamResultsOfAnyBatch(
    @Param('job_id') jobId: string,
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const job = await this.batches.toRead(jobId, principal);
    await this.responder.resultsOf(job, principal, { request, response });
  }

  @ApiOperation({
    summary: 'Cancel the batch of any key',
    description: 'As `POST /v1/batch/{job_id}/cancel`. The audit log has it as `batch.cancelled`.',
  })
  @JobId()
  @ApiOkResponse({ type: AdminBatchDto, headers })
  @ApiErrors()
  @HttpCode(200)
  @Post(':job_id/cancel')
  cancelAnyBatch(@Param('job_id') jobId: string, @CurrentPrincipal() principal: Principal): Promise<AdminBatchDto> {
    return this.batches.cancel(jobId, principal);
  }

  @ApiOperation({
    summary: 'Pause a batch',
    description:
      'No task of it starts until it is resumed; calls in flight end as usual. `status` stays, `paused_at` says since when. The job still expires at its time. A job that has ended is a 409.',
  })
  @JobId()
  @ApiOkResponse({ type: AdminBatchDto, headers })
  @ApiErrors(409)
  @HttpCode(200)
  @Post(':job_id/pause')
  pauseBatch(@Param('job_id') jobId: string, @CurrentPrincipal() principal: Principal): Promise<AdminBatchDto> {
    return this.batches.pause(jobId, principal);
  }

  @ApiOperation({ summary: 'Resume a paused batch', description: 'Of a job that is not paused it changes nothing.' })
  @JobId()
  @ApiOkResponse({ type: AdminBatchDto, headers })
  @ApiErrors(409)
  @HttpCode(200)
  @Post(':job_id/resume')
  resumeBatch(@Param('job_id') jobId: string, @CurrentPrincipal() principal: Principal): Promise<AdminBatchDto> {
    return this.batches.resume(jobId, principal);
  }

  @ApiOperation({
    summary: 'Change the priority of a batch',
    description: 'It holds for tasks that have not begun. A job that has ended is a 409.',
  })
  @JobId()
  @ApiOkResponse({ type: AdminBatchDto, headers })
  @ApiErrors(409)
  @Patch(':job_id')
  updateBatch(
    @Param('job_id') jobId: string,
    @Body() body: UpdateBatchDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<AdminBatchDto> {
    return this.batches.update(jobId, body, principal);
  }
}
