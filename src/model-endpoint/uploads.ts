import { Injectable } from '@nestjs/common';
import { GatewayConfig } from '../config/gateway-config.js';
import { uploadLimit } from '../http/json-body.interceptor.js';
import type { HttpRequest } from '../http/http-types.js';
import type { RequestOf } from '../operations/operation-types.js';
import { readUpload, type Upload, type UploadRules } from '../operations/upload/upload.js';
import type { ReadRequest } from './raw-responder.js';

/** Operations whose requests may be forms. */
type FormOperationName = 'images' | 'transcription';

/** The fields and files that a route accepts in a form. */
type FormRules = Pick<UploadRules, 'keep' | 'files' | 'maxFiles'>;

/** Receives forms with files, within the operator's limit and to the operator's disk. */
@Injectable()
export class Uploads {
  constructor(private readonly config: GatewayConfig) {}

  /**
   * Receives a form and makes a request of it. The form is freed with the request, or at once where `read` refuses it.
   *
   * @throws GatewayError as `readUpload` and `read` do
   */
  async read<Name extends FormOperationName>(
    request: HttpRequest,
    rules: FormRules,
    read: (upload: Upload) => Promise<RequestOf<Name>> | RequestOf<Name>,
  ): Promise<ReadRequest<Name>> {
    const { server, dataDirectory } = this.config;
    const limit = uploadLimit(server.maxUploadSize);
    const upload = await readUpload(request, { ...rules, limit, directory: dataDirectory });
    try {
      const made = await read(upload);
      return { request: made, isStream: made.stream, dispose: () => upload.dispose() };
    } catch (error) {
      await upload.dispose();
      throw error;
    }
  }
}
