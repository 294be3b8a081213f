import { Injectable } from '@nestjs/common';
import { stringify } from 'yaml';
import { GatewayConfig } from '../../config/gateway-config.js';
import { RoutingConfig } from '../../config/routing-config.js';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import { configurationHash } from '../instances/configuration-hash.js';
import { ConfigurationEdits } from './configuration-edits.service.js';
import type { ConfigurationDto } from './configuration.dto.js';

/** The configuration that this process uses, for administrators. */
@Injectable()
export class ConfigurationReport {
  private reloadedAt: number | null = null;

  constructor(
    private readonly config: GatewayConfig,
    private readonly routing: RoutingConfig,
    private readonly edits: ConfigurationEdits,
  ) {
    routing.onChange(() => (this.reloadedAt = Date.now()));
  }

  read(): ConfigurationDto {
    const written = { ...this.config.writtenAtStart?.sections, ...this.routing.current.written };
    const readOnly = this.edits.readOnlyReason();
    return {
      object: 'configuration',
      hash: configurationHash(this.routing.current),
      reloaded_at: toUnixSeconds(this.reloadedAt),
      yaml: Object.keys(written).length === 0 ? '' : stringify(written, { lineWidth: 0, aliasDuplicateObjects: false }),
      editable: readOnly === undefined,
      read_only_because: readOnly ?? null,
      settings: [...(this.config.writtenAtStart?.changed ?? [])].map((each) => ({ ...each })),
    };
  }
}
