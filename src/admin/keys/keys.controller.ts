import { Admin } from '../../auth/admin.decorator.js';
import { Body, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import { CreateKeyDto, KeyQueryDto, RotateKeyDto, UpdateKeyDto } from './key-request.dto.js';
import { KeyDto, KeyListDto, KeyWithSecretDto, KeyWithUsageDto } from './key.dto.js';
import { KeysService } from './keys.service.js';
import type { Principal } from '../../auth/principal.js';

const headers = REQUEST_ID_HEADER;
const ApiKeyId = (): MethodDecorator =>
  ApiParam({ name: 'id', description: 'The id of the key, not the key.', example: 'key_0123456789abcdef' });

@Admin('Admin: keys', 'v1/admin/keys')
export class KeysController {
  constructor(private readonly keys: KeysService) {}

  @ApiOperation({
    summary: 'Create a key',
    description:
      'The response contains the key itself, which is shown here only. It never has more rights than the key that creates it.',
  })
  @ApiCreatedResponse({ type: KeyWithSecretDto, headers })
  @ApiErrors()
  @Post()
  createKey(@Body() body: CreateKeyDto, @CurrentPrincipal() principal: Principal): Promise<KeyWithSecretDto> {
    return this.keys.create(body, principal);
  }

  @ApiOperation({
    summary: 'List keys',
    description: 'Newest first, revoked ones included, with what is spent and left of their budgets, never a secret.',
  })
  @ApiOkResponse({ type: KeyListDto, headers })
  @ApiErrors()
  @Get()
  listKeys(@Query() query: KeyQueryDto): Promise<KeyListDto> {
    return this.keys.list(query);
  }

  @ApiOperation({ summary: 'Read a key', description: 'With what is spent and left of its budget.' })
  @ApiKeyId()
  @ApiOkResponse({ type: KeyWithUsageDto, headers })
  @ApiErrors()
  @Get(':id')
  readKey(@Param('id') id: string): Promise<KeyWithUsageDto> {
    return this.keys.find(id);
  }

  @ApiOperation({
    summary: 'Change a key',
    description:
      'What is absent stays. It is felt here at once, and in other processes at once with Redis, else within 5 seconds.',
  })
  @ApiKeyId()
  @ApiOkResponse({ type: KeyDto, headers })
  @ApiErrors(409)
  @Patch(':id')
  updateKey(
    @Param('id') id: string,
    @Body() body: UpdateKeyDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<KeyDto> {
    return this.keys.update(id, body, principal);
  }

  @ApiOperation({
    summary: 'Rotate a key',
    description: 'Gives the key a new secret under the same id. The old one works until `overlap_seconds` are over.',
  })
  @ApiKeyId()
  @ApiOkResponse({ type: KeyWithSecretDto, headers })
  @ApiErrors(409)
  @HttpCode(200)
  @Post(':id/rotate')
  rotateKey(
    @Param('id') id: string,
    @Body() body: RotateKeyDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<KeyWithSecretDto> {
    return this.keys.rotate(id, body, principal);
  }

  @ApiOperation({
    summary: 'Revoke a key',
    description:
      'It ends here at once, and in other processes at once with Redis, else within 5 seconds; for good. Again it changes nothing.',
  })
  @ApiKeyId()
  @ApiOkResponse({ type: KeyDto, headers })
  @ApiErrors()
  @Delete(':id')
  revokeKey(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<KeyDto> {
    return this.keys.revoke(id, principal);
  }
}
