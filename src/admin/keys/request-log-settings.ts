import { Injectable } from '@nestjs/common';
import type { RequestLogSetting } from '../../auth/principal.js';
import { GatewayConfig } from '../../config/gateway-config.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import type { CreateKeyDto } from './key-request.dto.js';

/** Which prompts and responses of a key are stored. */
@Injectable()
export class RequestLogSettings {
  constructor(private readonly config: GatewayConfig) {}

  /** @throws GatewayError 400 where there is nothing to encrypt them with */
  of({ request_log: setting }: Pick<CreateKeyDto, 'request_log'>): RequestLogSetting | null {
    if (setting == null) return null;
    if (this.config.requestLog.keys.length === 0) {
      throw invalidRequest(
        "'request_log' needs a key to encrypt with. Ask the operator to set GATEWAY_REQUEST_LOG_KEY.",
        'request_log',
      );
    }
    return { days: setting.days, redact: setting.redact ?? [] };
  }
}
