import { isOutOfDescriptors } from '../runtime/descriptors.js';
import { GatewayError } from './gateway-error.js';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The error for the client after a failed file operation: 507 when the disk is full, else 503. */
export function storageFault(error: unknown): GatewayError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (FULL.has(code)) {
    return new GatewayError({
      status: 507,
      type: 'server_error',
      code: 'storage_full',
      message:
        'The disk of the gateway is full, and nothing of the request was kept. Retry later, or send less at once.',
      headers: { 'retry-after': '30' },
      cause: error,
    });
  }
  return new GatewayError({
    status: 503,
    type: 'server_error',
    code: 'storage_unavailable',
    message: isOutOfDescriptors(error)
      ? 'The gateway has too many open files, and nothing of the request was kept. Retry shortly.'
      : 'The gateway cannot write its files, and nothing of the request was kept. Retry later.',
    headers: { 'retry-after': '5' },
    cause: error,
  });
}
