import { ApiKeySecurity } from '../../auth/admin.decorator.js';
import { Controller, Get, Query, UsePipes } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrorResponses, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import { PageQueryDto } from '../../http/page-query.dto.js';
import { StrictBodyPipe } from '../../http/strict-body.pipe.js';
import { KeyListDto } from './key.dto.js';
import { KeysService } from './keys.service.js';
import { OwnKeyDto } from './own-key.dto.js';
import { OwnKeyService } from './own-key.service.js';
import type { Principal } from '../../auth/principal.js';
import { AnyScope } from '../../auth/public.decorator.js';

@ApiTags('Key')
@ApiKeySecurity()
@AnyScope()
@Controller('v1/key')
export class OwnKeyController {
  constructor(private readonly keys: OwnKeyService) {}

  @ApiOperation({
    summary: 'Read your own key',
    description:
      'What the key that asks may do, and what is spent and left of its budget and of that of its group. It needs no scope.',
  })
  @ApiOkResponse({ type: OwnKeyDto, headers: REQUEST_ID_HEADER })
  @ApiErrorResponses(401, 404, 503)
  @Get()
  readOwnKey(@CurrentPrincipal() principal: Principal): Promise<OwnKeyDto> {
    return this.keys.find(principal);
  }
}

@ApiTags('Session')
@ApiKeySecurity()
@AnyScope()
@UsePipes(StrictBodyPipe)
@Controller('v1/session/keys')
export class OwnedKeysController {
  constructor(private readonly keys: KeysService) {}

  @ApiOperation({
    summary: 'List the keys of your own',
    description:
      'Those whose `owner` is the person who is signed in, newest first. 404 where the request carries a key, or is of a session of a key.',
  })
  @ApiOkResponse({ type: KeyListDto, headers: REQUEST_ID_HEADER })
  @ApiErrorResponses(400, 401, 403, 404, 503)
  @Get()
  listOwnedKeys(@Query() query: PageQueryDto, @CurrentPrincipal() principal: Principal): Promise<KeyListDto> {
    return this.keys.listOwn(query, principal);
  }
}
