import { Admin } from '../../auth/admin.decorator.js';
import { Body, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import {
  CreateGroupDto,
  GroupDto,
  GroupListDto,
  GroupQueryDto,
  GroupWithUsageDto,
  UpdateGroupDto,
} from './groups.dto.js';
import { GroupsService } from './groups.service.js';

const headers = REQUEST_ID_HEADER;
const ApiGroupId = (): MethodDecorator => ApiParam({ name: 'id', example: 'group_0123456789abcdef' });

@Admin('Admin: groups', 'v1/admin/groups')
export class GroupsController {
  constructor(private readonly groups: GroupsService) {}

  @ApiOperation({
    summary: 'Create a group of keys',
    description: 'Its limits and its budget hold for all its keys together, beside those of each key.',
  })
  @ApiCreatedResponse({ type: GroupDto, headers })
  @ApiErrors()
  @Post()
  createGroup(@Body() body: CreateGroupDto, @CurrentPrincipal() principal: Principal): Promise<GroupDto> {
    return this.groups.create(body, principal);
  }

  @ApiOperation({ summary: 'List groups', description: 'Newest first.' })
  @ApiOkResponse({ type: GroupListDto, headers })
  @ApiErrors()
  @Get()
  listGroups(@Query() query: GroupQueryDto): Promise<GroupListDto> {
    return this.groups.list(query);
  }

  @ApiOperation({ summary: 'Read a group', description: 'With what is spent and left of its budget.' })
  @ApiGroupId()
  @ApiOkResponse({ type: GroupWithUsageDto, headers })
  @ApiErrors()
  @Get(':id')
  readGroup(@Param('id') id: string): Promise<GroupWithUsageDto> {
    return this.groups.find(id);
  }

  @ApiOperation({ summary: 'Change a group', description: 'What is absent stays.' })
  @ApiGroupId()
  @ApiOkResponse({ type: GroupDto, headers })
  @ApiErrors()
  @Patch(':id')
  updateGroup(
    @Param('id') id: string,
    @Body() body: UpdateGroupDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<GroupDto> {
    return this.groups.update(id, body, principal);
  }

  @ApiOperation({ summary: 'Delete a group', description: 'Only one that no key belongs to. Its usage stays.' })
  @ApiGroupId()
  @ApiOkResponse({ type: GroupDto, headers })
  @ApiErrors(409)
  @Delete(':id')
  deleteGroup(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<GroupDto> {
    return this.groups.remove(id, principal);
  }
}
