import { Controller, Get, Query, UsePipes } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiKeySecurity } from '../../auth/admin.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { AnyScope } from '../../auth/public.decorator.js';
import { ApiErrorResponses, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { ClientGone } from '../../http/client-gone.js';
import { StrictBodyPipe } from '../../http/strict-body.pipe.js';
import { OwnRecordsQueryDto, OwnUsageQueryDto } from './own-usage.dto.js';
import { UsageRecordListDto } from './usage-record.dto.js';
import { UsageRowListDto } from './usage-row.dto.js';
import type { OwnedBy } from './record-filter.js';
import { UsageReport } from './usage-report.service.js';

/** The records of the calling key, or of the keys that the calling person owns. */
function ofCaller({ keyId, name, role }: Principal): OwnedBy {
  return role === undefined ? { key_id: keyId } : { owner: name };
}

@ApiTags('Key')
@ApiKeySecurity()
@AnyScope()
@UsePipes(StrictBodyPipe)
@Controller('v1/key/usage')
export class OwnUsageController {
  constructor(private readonly usage: UsageReport) {}

  @ApiOperation({
    summary: 'Read sums of your own usage',
    description:
      'As `GET /v1/admin/usage`, of the calling key alone; for a person, of the keys that they own. It needs no scope.',
  })
  @ApiOkResponse({ type: UsageRowListDto, description: 'The sums.', headers: REQUEST_ID_HEADER })
  @ApiErrorResponses(400, 401, 403, 503)
  @Get()
  listOwnUsage(
    @Query() query: OwnUsageQueryDto,
    @CurrentPrincipal() principal: Principal,
    @ClientGone() gone: AbortSignal,
  ): Promise<UsageRowListDto> {
    return this.usage.sums({ ...query, ...ofCaller(principal) }, gone);
  }

  @ApiOperation({
    summary: 'List your own usage records',
    description:
      'As `GET /v1/admin/usage/records`, of the calling key alone; for a person, of the keys that they own. It needs no scope.',
  })
  @ApiOkResponse({ type: UsageRecordListDto, description: 'The records.', headers: REQUEST_ID_HEADER })
  @ApiErrorResponses(400, 401, 403, 503)
  @Get('records')
  listOwnUsageRecords(
    @Query() query: OwnRecordsQueryDto,
    @CurrentPrincipal() principal: Principal,
    @ClientGone() gone: AbortSignal,
  ): Promise<UsageRecordListDto> {
    return this.usage.list({ ...query, ...ofCaller(principal) }, gone);
  }
}
