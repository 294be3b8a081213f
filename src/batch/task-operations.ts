import type { CallContext } from '../calls/call-context.js';
import type { Engine } from '../engine/engine.js';
import { notFound } from '../errors/gateway-error.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import type { OperationName } from '../operations/operation-types.js';
import type { JsonObject } from '../runtime/json-value.js';

/** A task that succeeded. */
export interface TaskResponse {
  /** The body that the operation's endpoint responds with. */
  readonly body: unknown;
  readonly droppedParams: readonly string[];
}

/** Runs a request that merges the fields of the job and of the task. */
type RunTask = (engine: Engine, fields: JsonObject, context: CallContext) => Promise<TaskResponse>;

/** The operations that tasks may request. */
const OPERATIONS: Readonly<Partial<Record<OperationName, RunTask>>> = {
  chat: async (engine, fields, context) => {
    const request = { ...fields, stream: false } as unknown as ChatRequest;
    const { result, droppedParams } = await engine.run(CHAT, request, context);
    return { body: result, droppedParams };
  },
};

/** @throws GatewayError as the engine does; 404 `unsupported_endpoint` for a task that was stored by a newer version */
export function runTask(
  operation: string,
  engine: Engine,
  fields: JsonObject,
  context: CallContext,
): Promise<TaskResponse> {
  const run = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation as OperationName] : undefined;
  if (run !== undefined) return run(engine, fields, context);
  return Promise.reject(
    notFound(`This version of the gateway does not run batch tasks of '${operation}'.`, 'unsupported_endpoint'),
  );
}
