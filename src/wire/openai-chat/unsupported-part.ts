import { GatewayError } from '../../errors/gateway-error.js';
import type { ContentPart } from '../../operations/chat/chat-completion.js';

/** 400: a role that only some servers know. */
export function unsupportedRole(role: string, path: string): GatewayError {
  return unsupported(
    `${path}.role`,
    `'${path}.role': this provider takes no messages of the role ${role.slice(0, 40)}.`,
  );
}

/** 400: a part that only some servers know. */
export function unsupportedPart(part: ContentPart, path: string, role: string): GatewayError {
  return unsupported(path, `'${path}': this provider takes no ${part.type.slice(0, 40)} part in a ${role} message.`);
}

function unsupported(param: string, message: string): GatewayError {
  return new GatewayError({ status: 400, type: 'invalid_request_error', code: 'unsupported_value', message, param });
}
