import { OmitType } from '@nestjs/swagger';
import { UsageFilterDto, UsageQueryDto } from './usage-query.dto.js';

/** Which calls of the own key to sum, and into which rows. */
export class OwnUsageQueryDto extends OmitType(UsageQueryDto, ['key_id', 'group_id']) {}

/** Which calls of the own key to list. */
export class OwnRecordsQueryDto extends OmitType(UsageFilterDto, ['key_id', 'group_id']) {}
