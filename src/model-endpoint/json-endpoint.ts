import type { CallContext } from '../calls/call-context.js';
import type { Engine } from '../engine/engine.js';
import type { ServedBy } from '../engine/served-by.js';
import type { Usage } from '../operations/chat/chat-completion.js';
import type { SizedRequest } from '../limits/cost-estimator.js';
import type { Operation } from '../operations/operation.js';
import type { OperationName, RequestOf, ResultOf } from '../operations/operation-types.js';
import { printExact } from '../runtime/exact-integers.js';
import type { JsonObject } from '../runtime/json-value.js';

/** The body of a response, and how it came about. */
export interface WrittenResponse {
  /** JSON text. */
  readonly text: string;
  readonly servedBy: ServedBy;
  /** US dollars; null when the price or the usage is unknown. */
  readonly cost: number | null;
  /** Usage of chat, for the access log. */
  readonly usage?: Usage | undefined;
}

/** Fields of a batch job that its tasks inherit. */
export type JobDefault = 'max_tokens' | 'temperature' | 'top_p';

/** What batch tasks may have in place of an endpoint's own body. */
export interface TaskForm {
  /** The names that the endpoint has for a job's fields. A field without a name is not inherited. */
  readonly defaults: Readonly<Partial<Record<JobDefault, string>>>;
  /** The body that a plain text stands for; absent where it takes more than a text. */
  readonly ofText?: (text: string) => JsonObject;
  /** Whether `prompt` is a field of the endpoint itself, and may be more than a text. */
  readonly hasPrompt?: boolean;
  /** Fields beside `stream` that cannot be true in a batch. */
  readonly neverTrue?: readonly string[];
}

/**
 * An endpoint whose request and response are JSON: all that it does between a client's body and the engine, and back. Live requests
 * and tasks of batches take this one way, so that they are validated, run and completed alike.
 *
 * @typeParam Request what it makes of a body
 */
export abstract class JsonEndpoint<Request = unknown> {
  /** The path that clients call, with its version: `/v1/embeddings`. */
  abstract readonly path: string;
  abstract readonly operation: OperationName;
  /** The wire format, where it is not the operation's own: with the operation it says in a stored task which endpoint it is for. */
  readonly dialect: string | null = null;
  abstract readonly task: TaskForm;

  /**
   * Validates a body. It may change members of the body, but nothing inside of them, and needs no I/O.
   *
   * @throws GatewayError 400 for the first fault, `param` naming its path
   */
  abstract parse(body: unknown): Request;

  /** @throws GatewayError as the engine does */
  abstract run(request: Request, context: CallContext): Promise<WrittenResponse>;

  /**
   * What the request asks of a provider, for an estimate of its tokens and its cost.
   *
   * @param keyId the key whose stored responses it may go on from
   * @throws GatewayError where these do not exist or cannot be read
   */
  abstract sized(request: Request, keyId: string): Promise<SizedRequest> | SizedRequest;

  /** Both at once, for a body that is no stream. */
  async respond(body: unknown, context: CallContext): Promise<WrittenResponse> {
    return this.run(this.parse(body), context);
  }
}

/**
 * Runs a request on the engine, and writes its result in the client's format.
 *
 * @param write a string is JSON text
 * @throws GatewayError as the engine does
 */
export async function runAndWrite<Name extends OperationName>(
  engine: Engine,
  operation: Operation<Name>,
  request: RequestOf<Name>,
  context: CallContext,
  write: (result: ResultOf<Name>) => Promise<JsonObject | string> | JsonObject | string,
): Promise<WrittenResponse> {
  const completed = await engine.run(operation, request, context);
  return writtenResponse(completed, await write(completed.result));
}

/** The response that the engine gave, with its body in the client's format. @param body a string is JSON text */
export function writtenResponse(
  completed: ServedBy & { readonly cost: number | null },
  body: JsonObject | string,
  usage?: Usage,
): WrittenResponse {
  return {
    text: typeof body === 'string' ? body : printExact(body),
    servedBy: completed,
    cost: completed.cost,
    usage,
  };
}
