import { Body, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { Admin } from '../../auth/admin.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { GroupWithUsageDto } from '../groups/groups.dto.js';
import { ResetBudgetDto } from './budget-reset.dto.js';
import { BudgetResets } from './budget-reset.service.js';
import { KeyWithUsageDto } from './key.dto.js';

const headers = REQUEST_ID_HEADER;
const DESCRIPTION =
  'Without `credit` the budget is whole again from now on; with it, that many dollars are added to what is left in the present period. Calls that came before a reset count for nothing, also when they end later. It is felt here at once, and in other processes at once with Redis, else within 5 seconds.';

@Admin('Admin: keys', 'v1/admin/keys')
export class KeyBudgetResetController {
  constructor(private readonly resets: BudgetResets) {}

  @ApiOperation({ summary: 'Reset or credit the budget of a key', description: DESCRIPTION })
  @ApiParam({ name: 'id', description: 'The id of the key, not the key.', example: 'key_0123456789abcdef' })
  @ApiOkResponse({ type: KeyWithUsageDto, headers })
  @ApiErrors(409)
  @HttpCode(200)
  @Post(':id/budget/reset')
  resetKeyBudget(
    @Param('id') id: string,
    @Body() body: ResetBudgetDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<KeyWithUsageDto> {
    return this.resets.ofKey(id, body, principal);
  }
}

@Admin('Admin: groups', 'v1/admin/groups')
export class GroupBudgetResetController {
  constructor(private readonly resets: BudgetResets) {}

  @ApiOperation({ summary: 'Reset or credit the budget of a group', description: DESCRIPTION })
  @ApiParam({ name: 'id', example: 'group_0123456789abcdef' })
  @ApiOkResponse({ type: GroupWithUsageDto, headers })
  @ApiErrors(409)
  @HttpCode(200)
  @Post(':id/budget/reset')
  resetGroupBudget(
    @Param('id') id: string,
    @Body() body: ResetBudgetDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<GroupWithUsageDto> {
    return this.resets.ofGroup(id, body, principal);
  }
}
