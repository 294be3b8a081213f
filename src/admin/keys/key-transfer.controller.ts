import { Body, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { Response } from 'express';
import { Admin } from '../../auth/admin.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { LimitedBody } from '../../http/json-body.interceptor.js';
import { sendText } from '../../http/text-response.js';
import { KeyExport } from './key-export.service.js';
import { KeyImport } from './key-import.service.js';
import { KeyPurge } from './key-purge.service.js';
import {
  ExportKeysQueryDto,
  ImportKeysDto,
  KeyExportDto,
  KeyImportDto,
  KeyPurgeDto,
  MAX_IMPORTED_KEYS,
  PurgeKeysDto,
} from './key-transfer.dto.js';

const headers = REQUEST_ID_HEADER;
/** Members of one key with its limits, budget and metadata, generously. */
const MEMBERS_OF_A_KEY = 100;
const IMPORT_LIMIT = {
  maxBytes: 32 * 1024 * 1024,
  maxKeys: MAX_IMPORTED_KEYS * MEMBERS_OF_A_KEY,
  advice: 'Import fewer keys at once, or use llm-gateway keys import.',
};

@Admin('Admin: keys', 'v1/admin/keys')
export class KeyTransferController {
  constructor(
    private readonly imports: KeyImport,
    private readonly exports: KeyExport,
    private readonly purges: KeyPurge,
  ) {}

  @ApiOperation({
    summary: 'Export all keys and groups',
    description:
      'Limits, budgets, groups and metadata, in the form that an import takes, streamed. Never a key itself; with `hashes` their hashes, with which they go on to work where they are imported under the same key pepper.',
  })
  @ApiOkResponse({ type: KeyExportDto, headers })
  @ApiErrors()
  @Get('export')
  async exportKeys(
    @Query() query: ExportKeysQueryDto,
    @CurrentPrincipal() principal: Principal,
    @Res() response: Response,
  ): Promise<void> {
    await sendText(response, 'application/json; charset=utf-8', this.exports.text(query, principal));
  }

  @ApiOperation({
    summary: 'Import keys',
    description:
      'Keys of another gateway by their own value or by a hash, or what was exported, with their groups; all of it or nothing. A key never gets more rights than the one that imports it.',
  })
  @ApiOkResponse({ type: KeyImportDto, headers })
  @ApiErrors(409)
  @LimitedBody(IMPORT_LIMIT)
  @HttpCode(200)
  @Post('import')
  importKeys(@Body() body: ImportKeysDto, @CurrentPrincipal() principal: Principal): Promise<KeyImportDto> {
    return this.imports.import(body, principal);
  }

  @ApiOperation({
    summary: 'Purge revoked keys',
    description:
      'Takes away keys that were revoked for `retention_days`, but for those that keys which stay depend on. What they spent stays in reports, with their names, and in budgets.',
  })
  @ApiOkResponse({ type: KeyPurgeDto, headers })
  @ApiErrors()
  @HttpCode(200)
  @Post('purge')
  purgeKeys(@Body() body: PurgeKeysDto, @CurrentPrincipal() principal: Principal): Promise<KeyPurgeDto> {
    return this.purges.purge(body, principal);
  }
}
