import { invalidRequest } from '../errors/gateway-error.js';
import { MAX_FILE_EXPIRY_SECONDS, MIN_FILE_EXPIRY_SECONDS } from './file-expiry.dto.js';
import { PURPOSES, type Purpose } from './files.dto.js';

const ANCHOR = 'expires_after[anchor]';
const SECONDS = 'expires_after[seconds]';

/** The fields of an upload that the gateway reads. */
export const FORM_FIELDS: ReadonlySet<string> = new Set(['purpose', ANCHOR, SECONDS]);

/** What the fields of an upload say. */
export interface FileFields {
  readonly purpose: Purpose;
  /** Milliseconds after the upload; undefined where the file does not expire. */
  readonly expiresInMs: number | undefined;
}

const FILE = 'file';

/**
 * Checks the fields of an upload.
 *
 * @param names of all parts of the form, the file included
 * @throws GatewayError 400 that names the field
 */
export function fileFieldsOf(fields: ReadonlyMap<string, string>, names: readonly string[]): FileFields {
  const unknown = names.find((name) => name !== FILE && !FORM_FIELDS.has(name));
  if (unknown !== undefined) {
    throw invalidRequest(`Unknown field '${unknown}'. Remove it or check its spelling.`, unknown, 'unknown_parameter');
  }
  const text = fields.get('purpose');
  if (text === undefined) {
    throw invalidRequest("Missing required field 'purpose'.", 'purpose', 'missing_required_parameter');
  }
  const purpose = PURPOSES.find((each) => each === text);
  if (purpose === undefined) throw invalidRequest(`'purpose' must be one of ${PURPOSES.join(', ')}.`, 'purpose');
  return { purpose, expiresInMs: expiryOf(fields.get(ANCHOR), fields.get(SECONDS)) };
}

function expiryOf(anchor: string | undefined, text: string | undefined): number | undefined {
  if (anchor === undefined && text === undefined) return undefined;
  for (const [name, value, other] of [
    [ANCHOR, anchor, SECONDS],
    [SECONDS, text, ANCHOR],
  ] as const) {
    if (value !== undefined) continue;
    throw invalidRequest(
      `Missing required field '${name}'. It goes together with '${other}'.`,
      name,
      'missing_required_parameter',
    );
  }
  if (anchor !== 'created_at') throw invalidRequest(`'${ANCHOR}' must be created_at.`, ANCHOR);
  const seconds = /^\d{1,9}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (seconds >= MIN_FILE_EXPIRY_SECONDS && seconds <= MAX_FILE_EXPIRY_SECONDS) return seconds * 1_000;
  throw invalidRequest(
    `'${SECONDS}' must be a whole number from ${MIN_FILE_EXPIRY_SECONDS} to ${MAX_FILE_EXPIRY_SECONDS}.`,
    SECONDS,
  );
}
