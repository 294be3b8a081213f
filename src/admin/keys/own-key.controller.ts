import { ApiKeySecurity } from '../../auth/admin.decorator.js';
import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrorResponses, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
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
  @ApiErrorResponses(401, 503)
  @Get()
  readOwnKey(@CurrentPrincipal() principal: Principal): Promise<OwnKeyDto> {
    return this.keys.find(principal);
  }
}
