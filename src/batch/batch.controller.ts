import { ApiKeySecurity } from '../auth/admin.decorator.js';
import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiExtraModels,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import { StreamedBody } from '../http/json-body.interceptor.js';
import { PageQueryDto } from '../http/page-query.dto.js';
import { StrictBodyPipe } from '../http/strict-body.pipe.js';
import { BatchResponder } from './batch-responder.js';
import { BatchGenerateDto } from './batch-generate.dto.js';
import {
  BatchDto,
  BatchListDto,
  BatchSubmittedDto,
  BatchSummaryDto,
  ReadBatchDto,
  StreamResultsDto,
} from './batch.dto.js';
import { BATCH_EXAMPLES, EVENTS_EXAMPLE, RESULTS_EXAMPLE, RETRY_EXAMPLES } from './batch.examples.js';
import { BatchService } from './batch.service.js';
import { BatchEstimateDto } from './control/estimate.dto.js';
import { RetryBatchDto } from './control/retry-batch.dto.js';
import { RESULT_SCHEMAS, TaskResponseDto, TaskResultDto } from './task-result.dto.js';

const JOB_ID = { name: 'job_id', description: 'The ID of the batch job.', example: 'batch_68f0c1d2a3b4c5d6e7f80912' };

@ApiTags('Batches')
@ApiKeySecurity()
@ApiExtraModels(TaskResultDto, TaskResponseDto, ...RESULT_SCHEMAS)
@UsePipes(StrictBodyPipe)
@Controller('v1/batch')
export class BatchController {
  constructor(
    private readonly batches: BatchService,
    private readonly responder: BatchResponder,
  ) {}

  @ApiOperation({
    summary: 'Submit a batch',
    description: [
      'Submits a batch of generation tasks for asynchronous processing, for any model on any provider and in any format: a task is a',
      'request of /v1/chat/completions or of the `endpoint` that it or the job names, and its result is what that endpoint responds with.',
      '',
      'Every task is checked before anything is stored: one invalid task rejects the whole submission, and the response names',
      'the first 20 faults by path. After the 202 the job survives crashes and restarts. Each task has exactly one',
      'result; upstream calls are made at least once, and again when a worker dies with them in flight.',
    ].join('\n'),
  })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'For 24 hours the same key and body return the same job; another body is a 409.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
  })
  @ApiBody({ type: BatchGenerateDto, examples: BATCH_EXAMPLES })
  @ApiAcceptedResponse({ type: BatchSubmittedDto, headers: REQUEST_ID_HEADER })
  @ApiOkResponse({ type: BatchEstimateDto, description: 'The estimate, with `dry_run`.', headers: REQUEST_ID_HEADER })
  @ApiErrors(404, 409, 429)
  @StreamedBody()
  @HttpCode(202)
  @Post('generate')
  async submitBatch(
    @Req() request: Request,
    @Res() response: Response,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    // A header parameter of the handler would appear twice in the OpenAPI document, and as required.
    const written = await this.batches.submit(request, principal, request.get('idempotency-key'));
    response.status('object' in written ? 200 : 202).json(written);
  }

  @ApiOperation({
    summary: 'Estimate a batch',
    description:
      'Takes the body of a submission, checks it as a submission is checked, and responds with its tokens, its likely and its highest cost by model, and the time that it takes at its `rate`. Nothing is stored and no provider is called.',
  })
  @ApiBody({ type: BatchGenerateDto, examples: BATCH_EXAMPLES })
  @ApiOkResponse({ type: BatchEstimateDto, headers: REQUEST_ID_HEADER })
  @ApiErrors(404)
  @StreamedBody()
  @HttpCode(200)
  @Post('estimate')
  estimateBatch(@Req() request: Request, @CurrentPrincipal() principal: Principal): Promise<BatchEstimateDto> {
    return this.batches.estimate(request, principal);
  }

  @ApiOperation({
    summary: 'Retry tasks of a batch',
    description:
      'Runs tasks of the job that have ended again, as a new job, whose `control.retry_of` is the old one. Without fields these are the tasks that failed or expired. The old job and its results stay as they are; the new job has its model, defaults, metadata, priority and options.',
  })
  @ApiParam(JOB_ID)
  @ApiBody({ type: RetryBatchDto, examples: RETRY_EXAMPLES })
  @ApiAcceptedResponse({ type: BatchSubmittedDto, headers: REQUEST_ID_HEADER })
  @ApiErrors(409, 429)
  @HttpCode(202)
  @Post(':job_id/retry')
  retryBatch(
    @Param('job_id') jobId: string,
    @Body() body: RetryBatchDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<BatchSubmittedDto> {
    return this.batches.retry(jobId, body, principal);
  }

  @ApiOperation({ summary: 'List batches', description: "The key's own jobs, newest first, without their results." })
  @ApiOkResponse({ type: BatchListDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Get()
  listBatches(@Query() query: PageQueryDto, @CurrentPrincipal() principal: Principal): Promise<BatchListDto> {
    return this.batches.list(principal, query);
  }

  @ApiOperation({
    summary: 'Read a batch',
    description:
      'Retrieves the status of a batch job with a page of its results so far, also while it runs. A page ends at `limit` results or 16 MB, whichever comes first; `has_more` says whether there are more. A job of another key is a 404, as an unknown one.',
  })
  @ApiParam(JOB_ID)
  @ApiOkResponse({ type: BatchDto, headers: REQUEST_ID_HEADER })
  @ApiErrors(429)
  @Get(':job_id')
  readBatch(
    @Param('job_id') jobId: string,
    @Query() query: ReadBatchDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.responder.page(jobId, principal, query, { request, response });
  }

  @ApiOperation({
    summary: 'Stream the results of a batch',
    description:
      'Every result that there is, one JSON object a line, in task order. While the job runs, those so far. With `after` an interrupted download of a job that has ended goes on where it stopped.',
  })
  @ApiParam(JOB_ID)
  @ApiOkResponse({
    description: 'One TaskResultDto a line.',
    headers: REQUEST_ID_HEADER,
    content: {
      'application/x-ndjson': { schema: { $ref: getSchemaPath(TaskResultDto) }, example: RESULTS_EXAMPLE },
    },
  })
  @ApiErrors(429)
  @Get(':job_id/results')
  streamBatchResults(
    @Param('job_id') jobId: string,
    @Query() { after }: StreamResultsDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.responder.results(jobId, principal, { request, response }, after);
  }

  @ApiOperation({
    summary: 'Follow a batch',
    description:
      'Server-sent events: the job as `data: {...}` at once and at each change, `data: [DONE]` once it has ended. Lines that begin with a colon are comments. A key may have 100 of these streams open.',
  })
  @ApiParam(JOB_ID)
  @ApiOkResponse({
    description: 'Each `data:` line but `[DONE]` is a BatchSummaryDto.',
    headers: REQUEST_ID_HEADER,
    content: { 'text/event-stream': { schema: { type: 'string' }, example: EVENTS_EXAMPLE } },
  })
  @ApiErrors(429)
  @Get(':job_id/events')
  followBatch(
    @Param('job_id') jobId: string,
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.responder.events(jobId, principal, { request, response });
  }

  @ApiOperation({
    summary: 'Cancel a batch',
    description:
      'No further task of the job starts, and running tasks are aborted; existing results are kept. Cancelling again, or cancelling a finished job, changes nothing.',
  })
  @ApiParam(JOB_ID)
  @ApiOkResponse({ type: BatchSummaryDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @HttpCode(200)
  @Post(':job_id/cancel')
  cancelBatch(@Param('job_id') jobId: string, @CurrentPrincipal() principal: Principal): Promise<BatchSummaryDto> {
    return this.batches.cancel(jobId, principal);
  }

  @ApiOperation({
    summary: 'Pause a batch',
    description:
      'No task of the job starts until it is resumed; calls in flight end as usual. `status` stays, `paused_at` says since when. The job still expires at its time. A job that has ended is a 409.',
  })
  @ApiParam(JOB_ID)
  @ApiOkResponse({ type: BatchSummaryDto, headers: REQUEST_ID_HEADER })
  @ApiErrors(409)
  @HttpCode(200)
  @Post(':job_id/pause')
  pauseOwnBatch(@Param('job_id') jobId: string, @CurrentPrincipal() principal: Principal): Promise<BatchSummaryDto> {
    return this.batches.pause(jobId, principal);
  }

  @ApiOperation({
    summary: 'Resume a paused batch',
    description:
      'Of a job that is not paused it changes nothing. A job that an operator has paused is a 409, as one that has ended.',
  })
  @ApiParam(JOB_ID)
  @ApiOkResponse({ type: BatchSummaryDto, headers: REQUEST_ID_HEADER })
  @ApiErrors(409)
  @HttpCode(200)
  @Post(':job_id/resume')
  resumeOwnBatch(@Param('job_id') jobId: string, @CurrentPrincipal() principal: Principal): Promise<BatchSummaryDto> {
    return this.batches.resume(jobId, principal);
  }
}
