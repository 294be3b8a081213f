import { Injectable } from '@nestjs/common';
import type { Operation, RecordingDetail } from '../operations/operation.js';
import type { ChunkOf, OperationName, OperationStream, RequestOf, ResultOf } from '../operations/operation-types.js';
import type { CallContext } from './call-context.js';
import type { CallOutcome } from './call-outcome.js';
import type { CallTrace } from './call-tracing.js';

/** A call as hooks see it. */
export interface HookedCall<Name extends OperationName> {
  readonly operation: Operation<Name>;
  readonly request: RequestOf<Name>;
  readonly context: CallContext;
  readonly isStream: boolean;
  /** Its spans, where tracing is on. */
  readonly trace: CallTrace | undefined;
}

/** A response that a hook gives in place of a provider. */
export interface ShortCircuit<Name extends OperationName> {
  /** Sent as `x-gateway-provider`, such as `cache`. */
  readonly source: string;
  /** The response of a call that is no stream. */
  readonly result?: ResultOf<Name>;
  /** The chunks of a stream. */
  readonly chunks?: OperationStream<Name>;
}

/**
 * Hooks run for calls in addition to the provider's call: request log, traces of content; later a cache or guardrails. Hooks
 * run in their order, live requests and batch tasks alike.
 */
export interface CallHook {
  /** Named in the log when the hook fails. */
  readonly name: string;
  /** Hooks run from the lowest to the highest order. */
  readonly order: number;
  /** How much of the response the hook reads in `after`; the most that any hook asks for is kept. */
  detail?(call: HookedCall<OperationName>): RecordingDetail;
  /**
   * After the model is resolved and the key may call it, and before anything is reserved or sent. The first hook that returns a
   * response ends the call with it. An error fails the call: a check that cannot be made lets nothing pass.
   */
  before?<Name extends OperationName>(
    call: HookedCall<Name>,
  ): ShortCircuit<Name> | undefined | Promise<ShortCircuit<Name> | undefined>;
  /** Replaces a group of chunks on its way to the client; an empty group is not sent. An error ends the stream. */
  chunks?<Name extends OperationName>(
    call: HookedCall<Name>,
    group: readonly ChunkOf<Name>[],
  ): readonly ChunkOf<Name>[] | Promise<readonly ChunkOf<Name>[]>;
  /**
   * Once for each call, however it ended. The response does not wait for it. An error is logged, and changes nothing for the
   * client.
   */
  after?(outcome: CallOutcome): void | Promise<void>;
}

type With<Method extends keyof CallHook> = CallHook & Required<Pick<CallHook, Method>>;

/** The hooks of the process, in their order. Modules add theirs when they are created, before the first call. */
@Injectable()
export class CallHooks {
  private hooks: readonly CallHook[] = [];
  /** The hooks that have the method, so that a call asks no other. */
  detail: readonly With<'detail'>[] = [];
  before: readonly With<'before'>[] = [];
  chunks: readonly With<'chunks'>[] = [];
  after: readonly With<'after'>[] = [];

  add(hook: CallHook): void {
    this.hooks = [...this.hooks, hook].sort((first, second) => first.order - second.order);
    this.detail = this.having('detail');
    this.before = this.having('before');
    this.chunks = this.having('chunks');
    this.after = this.having('after');
  }

  private having<Method extends keyof CallHook>(method: Method): With<Method>[] {
    return this.hooks.filter((hook): hook is With<Method> => hook[method] !== undefined);
  }
}
