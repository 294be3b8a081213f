import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** A name for leases of this process, of at most 64 characters. No other worker has it, not one of the same process either. */
export function newWorkerName(): string {
  return `${hostname().slice(0, 40)}-${process.pid}-${randomBytes(4).toString('hex')}`;
}
