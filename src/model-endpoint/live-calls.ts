import { Injectable } from '@nestjs/common';
import { KeyRevocations } from '../auth/key-revocations.js';
import type { Principal } from '../auth/principal.js';
import type { CallContext } from '../calls/call-context.js';
import { readCallSession } from '../calls/call-session.js';
import { readRoutingOverrides } from '../calls/routing-overrides.js';
import { invalidApiKey, type GatewayError } from '../errors/gateway-error.js';
import { clientClosedRequest, toGatewayError } from '../errors/to-gateway-error.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { InFlight } from '../lifecycle/in-flight.service.js';
import { CancelSource } from '../runtime/cancel-signal.js';
import { AccessLog } from '../telemetry/access-log.js';
import { upstreamHeaders } from './upstream-headers.js';

/** The HTTP half of a live call of any operation: the caller, and when the response is no longer needed. */
@Injectable()
export class LiveCalls {
  constructor(
    private readonly inFlight: InFlight,
    revocations: KeyRevocations,
  ) {
    revocations.subscribe((keyId) => inFlight.abortOf(keyId, revokedInFlight()));
  }

  /**
   * Serves a request with a context whose signal is aborted when the client has disconnected, when its key is revoked, or at
   * the end of a shutdown.
   *
   * @param headerPrefix of headers that belong to the client's format and go to the provider
   * @throws what `serve` throws, while the client is still there
   */
  async serve(
    principal: Principal,
    request: HttpRequest,
    response: HttpResponse,
    serve: (context: CallContext) => Promise<void>,
    headerPrefix?: string,
  ): Promise<void> {
    const overrides = readRoutingOverrides(request.headers, principal);
    const cancel = new CancelSource();
    const onClose = (): void => {
      if (!response.writableFinished) cancel.abort(clientClosedRequest());
    };
    response.on('close', onClose);
    const call = this.inFlight.add(cancel, principal);
    const access = AccessLog.fieldsOf(response);
    access.key_id = principal.keyId;
    try {
      await serve({
        principal,
        requestId: request.id,
        source: 'live',
        headers: upstreamHeaders(request.headers, headerPrefix),
        session: readCallSession(request.headers),
        overrides,
        span: response.locals['span'] as CallContext['span'],
        signal: cancel,
      });
    } catch (error) {
      // No client reads a response any more once it has gone; the access log has the reason.
      if (!response.destroyed) throw error;
      access.error_code = toGatewayError(error).code;
    } finally {
      response.off('close', onClose);
      this.inFlight.release(call);
    }
  }
}

/** The response of a call whose key was revoked meanwhile; in a stream its error event. */
function revokedInFlight(): GatewayError {
  return invalidApiKey('This key was revoked while the request was in flight. Send it again with another key.');
}
