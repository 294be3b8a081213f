import { Body, Controller, HttpCode, Param, Post, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiParam, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { RequireScope } from '../../auth/public.decorator.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { StrictBodyPipe } from '../../http/strict-body.pipe.js';
import { GroupWithUsageDto } from '../groups/groups.dto.js';
import { ResetBudgetDto } from './budget-reset.dto.js';
import { BudgetResets } from './budget-reset.service.js';
import { KeyWithUsageDto } from './keys.dto.js';

const headers = REQUEST_ID_HEADER;
const DESCRIPTION =
  'Without `credit` the budget is whole again from now on; with it, that many dollars are added to what is left in the present period. Calls that came before a reset count for nothing, also when they end later. It is felt here at once, and in other processes at once with Redis, else within 5 seconds.';

@ApiBearerAuth('bearer')
@ApiSecurity('x-api-key')
@RequireScope('admin')
@UsePipes(StrictBodyPipe)
@Controller('v1/admin')
export class BudgetResetController {
  constructor(private readonly resets: BudgetResets) {}

  @ApiTags('Admin: keys')
  @ApiOperation({ summary: 'Reset or credit the budget of a key', description: DESCRIPTION })
  @ApiParam({ name: 'id', description: 'The id of the key, not the key.', example: 'key_0123456789abcdef' })
  @ApiOkResponse({ type: KeyWithUsageDto, headers })
  @ApiErrors(400, 401, 403, 404, 409, 413, 415, 503)
  @HttpCode(200)
  @Post('keys/:id/budget/reset')
  resetKeyBudget(
    @Param('id') id: string,
    @Body() body: ResetBudgetDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<KeyWithUsageDto> {
    return this.resets.ofKey(id, body, principal);
  }

  @ApiTags('Admin: groups')
  @ApiOperation({ summary: 'Reset or credit the budget of a group', description: DESCRIPTION })
  @ApiParam({ name: 'id', example: 'group_0123456789abcdef' })
  @ApiOkResponse({ type: GroupWithUsageDto, headers })
  @ApiErrors(400, 401, 403, 404, 409, 413, 415, 503)
  @HttpCode(200)
  @Post('groups/:id/budget/reset')
  resetGroupBudget(
    @Param('id') id: string,
    @Body() body: ResetBudgetDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<GroupWithUsageDto> {
    return this.resets.ofGroup(id, body, principal);
  }
}
