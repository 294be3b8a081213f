import type { JsonObject } from '../../runtime/json-value.js';
import type { ModerationRequest } from '../../operations/moderations/moderation-request.js';
import type { ModerationResult } from '../../operations/moderations/moderation-result.js';

/** One upstream call, without transport and credentials. */
export interface WrittenModeration {
  /** Path that is appended to the provider's base URL, with a leading slash. */
  readonly path: string;
  readonly body: JsonObject;
}

/** Moderations in the wire format of a provider, as its client. Pure: no I/O. */
export interface ModerationWire {
  /** Members of the request that the wire format has no place for, by the client's names. */
  dropped(request: ModerationRequest): string[];
  /** @throws GatewayError 400 that names the member which the provider cannot take */
  write(request: ModerationRequest): WrittenModeration;
  /** @throws GatewayError `upstream_error` for anything but a result for each input */
  read(text: string, request: ModerationRequest): ModerationResult;
}
