import {
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ApiKeySecurity } from '../../auth/admin.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { StreamedBody } from '../../http/json-body.interceptor.js';
import { StrictBodyPipe } from '../../http/strict-body.pipe.js';
import { MessagesErrors } from '../../messages/messages-errors.decorator.js';
import { MessageDto } from '../../messages/messages.dto.js';
import { RequestIdInterceptor } from './request-id.interceptor.js';
import {
  CreateMessageBatchDto,
  DeletedMessageBatchDto,
  MessageBatchDto,
  MessageBatchListDto,
  MessageBatchPageDto,
} from './message-batches.dto.js';
import { MESSAGE_BATCH_EXAMPLES, MESSAGE_RESULT_EXAMPLE, MESSAGE_RESULT_SCHEMA } from './message-batches.examples.js';
import { MessageBatchesService } from './message-batches.service.js';

const BATCH_ID = {
  name: 'message_batch_id',
  description: 'The id of the message batch.',
  example: 'msgbatch_68f0c1d2a3b4c5d6e7f80912',
};

@ApiTags('Message Batches')
@ApiKeySecurity()
@UsePipes(StrictBodyPipe)
@UseInterceptors(RequestIdInterceptor)
@Controller('v1/messages/batches')
export class MessageBatchesController {
  constructor(private readonly batches: MessageBatchesService) {}

  @ApiOperation({
    summary: 'Create a message batch',
    description: [
      "Anthropic's Message Batches API on any model: each of `requests` is a request of POST /v1/messages, with its own model. It runs as",
      'a job of the batch engine (see POST /v1/batch/generate), survives crashes and restarts, and each request has exactly one result.',
      '',
      'Every request is checked before anything is stored: one invalid request rejects the whole batch, and the response names the first',
      '20 faults by path. Errors have the form of /v1/messages.',
    ].join('\n'),
  })
  @ApiBody({ type: CreateMessageBatchDto, examples: MESSAGE_BATCH_EXAMPLES })
  @ApiOkResponse({ type: MessageBatchDto, headers: REQUEST_ID_HEADER })
  @MessagesErrors()
  @StreamedBody()
  @HttpCode(200)
  @Post()
  createMessageBatch(@Req() request: Request, @CurrentPrincipal() principal: Principal): Promise<MessageBatchDto> {
    return this.batches.create(request, principal);
  }

  @ApiOperation({
    summary: 'List message batches',
    description: "The key's own message batches, newest first. Jobs of /v1/batch are not among them.",
  })
  @ApiOkResponse({ type: MessageBatchListDto, headers: REQUEST_ID_HEADER })
  @MessagesErrors()
  @Get()
  listMessageBatches(
    @Query() query: MessageBatchPageDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
  ): Promise<MessageBatchListDto> {
    return this.batches.list(query, principal, request);
  }

  @ApiOperation({
    summary: 'Read a message batch',
    description: 'Its state, with counts as they are now. A batch of another key is a 404, as an unknown one.',
  })
  @ApiParam(BATCH_ID)
  @ApiOkResponse({ type: MessageBatchDto, headers: REQUEST_ID_HEADER })
  @MessagesErrors()
  @Get(':message_batch_id')
  readMessageBatch(
    @Param('message_batch_id') id: string,
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
  ): Promise<MessageBatchDto> {
    return this.batches.retrieve(id, principal, request);
  }

  @ApiOperation({
    summary: 'Delete a message batch',
    description: 'Deletes a batch that has ended, with its results. One that has not ended is a 400: cancel it first.',
  })
  @ApiParam(BATCH_ID)
  @ApiOkResponse({ type: DeletedMessageBatchDto, headers: REQUEST_ID_HEADER })
  @MessagesErrors()
  @Delete(':message_batch_id')
  deleteMessageBatch(
    @Param('message_batch_id') id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<DeletedMessageBatchDto> {
    return this.batches.delete(id, principal);
  }

  @ApiOperation({
    summary: 'Stream the results of a message batch',
    description:
      'Every result, one JSON object a line, in any order. `result.type` is `succeeded`, `errored`, `canceled` or `expired`. Before the batch has ended it is a 400.',
  })
  @ApiParam(BATCH_ID)
  @ApiOkResponse({
    description: 'One result a line.',
    headers: REQUEST_ID_HEADER,
    content: { 'application/x-jsonl': { schema: MESSAGE_RESULT_SCHEMA, example: MESSAGE_RESULT_EXAMPLE } },
  })
  @ApiExtraModels(MessageDto)
  @MessagesErrors()
  @Get(':message_batch_id/results')
  streamMessageBatchResults(
    @Param('message_batch_id') id: string,
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.batches.results(id, principal, { request, response });
  }

  @ApiOperation({
    summary: 'Cancel a message batch',
    description:
      'No further request starts, and running ones are aborted; existing results are kept. Cancelling again, or cancelling a batch that has ended, changes nothing.',
  })
  @ApiParam(BATCH_ID)
  @ApiOkResponse({ type: MessageBatchDto, headers: REQUEST_ID_HEADER })
  @MessagesErrors()
  @HttpCode(200)
  @Post(':message_batch_id/cancel')
  cancelMessageBatch(
    @Param('message_batch_id') id: string,
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
  ): Promise<MessageBatchDto> {
    return this.batches.cancel(id, principal, request);
  }
}
