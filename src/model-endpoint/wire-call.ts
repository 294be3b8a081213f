import type { CallContext } from '../calls/call-context.js';
import { readUserIdSession } from '../calls/call-session.js';
import type { Engine } from '../engine/engine.js';
import { SOURCE } from '../operations/chat/canonical/sources.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import { promptSize } from '../operations/chat/prompt-bytes.js';
import { printExact } from '../runtime/exact-integers.js';
import { readResult } from '../wire/openai-chat/read-result.js';
import type { WireFormat, WriteContext } from '../wire/wire-format.js';
import type { WireRequest } from './chat-request-of.js';
import { resultWithClientNames } from './client-tool-names.js';
import { writeContextOf } from './input-estimate.js';
import { writtenResponse, type WrittenResponse } from './json-endpoint.js';
import { withUsage } from './usage-estimate.js';

/**
 * Runs a chat request of any wire format, and writes its whole response in the same format: the provider's own text where it speaks
 * that format, else written from what it means.
 *
 * @throws GatewayError as the engine does
 */
export async function runWire(
  engine: Engine,
  wire: WireFormat,
  chat: WireRequest,
  context: CallContext,
): Promise<WrittenResponse> {
  const completed = await engine.run(CHAT, chat, withSessionOf(chat, context));
  const { result } = completed;
  const source = result[SOURCE];
  if (source?.wire === wire.name) return writtenResponse(completed, source.text, result.usage);
  const canonical = source?.canonical ?? resultWithClientNames(readResult(result), chat[SOURCE].toolNames);
  const writing = writeContextFor(chat, context);
  const written = wire.writeResponse(
    withUsage(canonical, () => writing.estimatedInputTokens),
    writing,
  );
  return writtenResponse(completed, printExact(written), result.usage);
}

/** The context with the session that the body names, where no header names one. */
export function withSessionOf(chat: WireRequest, context: CallContext): CallContext {
  if (context.session !== undefined) return context;
  const session = readUserIdSession(chat[SOURCE].canonical.endUser);
  return session === undefined ? context : { ...context, session };
}

/** What the writer of a response must know of a chat request. */
export function writeContextFor(chat: WireRequest, { requestId }: CallContext): WriteContext {
  const { canonical } = chat[SOURCE];
  return writeContextOf({ model: canonical.model, requestId, request: canonical }, () => promptSize(chat).bytes);
}
