import { S3Error } from '../../files/storage/s3-client.js';
import { objectOf } from '../../runtime/json-value.js';

/** A failure whose message is for clients. */
export class OutputFault extends Error {
  override readonly name = 'OutputFault';
}

/** The response of S3 within an error. */
export function s3ErrorOf(error: unknown): S3Error | undefined {
  for (let each: unknown = error; each instanceof Error; each = each.cause) if (each instanceof S3Error) return each;
  return undefined;
}

/** What a client may know of a failed attempt: never a body of S3, which may have the id of the operator's access key. */
export function shownFault(error: unknown): string {
  if (error instanceof OutputFault) return error.message;
  const s3 = s3ErrorOf(error);
  if (s3 !== undefined) {
    const code = s3.code !== undefined && /^\w{1,64}$/.test(s3.code) ? ` ${s3.code}` : '';
    return `The bucket responded with ${s3.status}${code}.`;
  }
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    const { code } = objectOf(each);
    if (typeof code === 'string' && /^E[A-Z]+$|^UND_ERR_\w+$/.test(code))
      return `The bucket cannot be reached: ${code}.`;
  }
  return 'The results could not be written.';
}
