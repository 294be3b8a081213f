import type { JsonObject } from '../../runtime/json-value.js';
import type { RepeatableBody } from '../transport/upstream-request.js';

/** Whether the batch of a part may be created: its process may have been stopped for long at any moment, or its job paused. */
export interface CreationCheck {
  /** Awaited directly before the request that creates the batch. Rejects where that may not be created now. */
  begin(): Promise<void>;
  /** Called before each piece of that request is sent. Throws where another process may have begun since. */
  check(): void;
}

/**
 * Begins the creation of a batch that reads an uploaded file.
 *
 * @param deleteFile deletes that file where the batch may not be created. Its signal is one of its own: that of the call may have ended
 *   with the lease
 */
export async function beginWithFile(
  creation: CreationCheck,
  deleteFile: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  try {
    await creation.begin();
  } catch (error) {
    await deleteFile(new AbortController().signal).catch(() => undefined);
    throw error;
  }
}

/** A body of which each piece is sent only while the batch may be created. */
export function checkedBody(body: RepeatableBody, creation: CreationCheck): RepeatableBody {
  return {
    ...body,
    open: async function* () {
      for await (const piece of body.open()) {
        creation.check();
        yield piece;
      }
    },
  };
}

/** The same for a body of JSON. */
export function checkedJson(value: JsonObject, creation: CreationCheck): RepeatableBody {
  const bytes = Buffer.from(JSON.stringify(value));
  const open = async function* (): AsyncGenerator<Buffer> {
    yield await Promise.resolve(bytes);
  };
  return checkedBody({ contentType: 'application/json', length: bytes.length, open }, creation);
}
