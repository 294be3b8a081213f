import { Injectable } from '@nestjs/common';
import { GatewayConfig } from '../config/gateway-config.js';
import { uploadLimit } from '../http/json-body.guard.js';
import type { HttpRequest } from '../http/http-types.js';
import { readUpload, type Upload, type UploadRules } from '../operations/upload/upload.js';

/** Receives forms with files, within the operator's limit and to the operator's disk. */
@Injectable()
export class Uploads {
  constructor(private readonly config: GatewayConfig) {}

  /** @throws GatewayError as `readUpload` does */
  receive(request: HttpRequest, rules: Pick<UploadRules, 'keep' | 'files' | 'maxFiles'>): Promise<Upload> {
    const { server, dataDirectory } = this.config;
    return readUpload(request, { ...rules, limit: uploadLimit(server.maxUploadSize), directory: dataDirectory });
  }
}
