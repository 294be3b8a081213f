import { Injectable, Logger } from '@nestjs/common';
import { CallHooks, type CallHook, type HookedCall, type ShortCircuit } from '../calls/call-hook.js';
import type { CallOutcome } from '../calls/call-outcome.js';
import { describeError } from '../errors/describe-error.js';
import type { RecordingDetail } from '../operations/operation.js';
import type { ChunkOf, OperationName } from '../operations/operation-types.js';

/** Passes the groups of a stream through the hooks. */
export type ChunkFilter<Name extends OperationName> = (
  group: readonly ChunkOf<Name>[],
) => Promise<readonly ChunkOf<Name>[]>;

/** Runs the hooks at their places in a call. What no hook has costs a call nothing. */
@Injectable()
export class HookRunner {
  private readonly logger = new Logger('Hooks');

  constructor(private readonly hooks: CallHooks) {}

  /** The most that a hook reads of the response. */
  detailOf(call: HookedCall<OperationName>): RecordingDetail {
    let most: RecordingDetail = 'nothing';
    for (const hook of this.hooks.detail) {
      const detail = hook.detail(call);
      if (detail === 'content') return detail;
      if (detail === 'outline') most = detail;
    }
    return most;
  }

  /** @returns undefined at once where no hook looks at calls before they are made */
  before<Name extends OperationName>(call: HookedCall<Name>): Promise<ShortCircuit<Name> | undefined> | undefined {
    return this.hooks.before.length === 0 ? undefined : this.runBefore(call);
  }

  /** @returns undefined where no hook looks at chunks */
  filterOf<Name extends OperationName>(call: HookedCall<Name>): ChunkFilter<Name> | undefined {
    const { chunks } = this.hooks;
    if (chunks.length === 0) return undefined;
    return async (group) => {
      let passed = group;
      for (const hook of chunks) {
        if (passed.length === 0) break;
        passed = await hook.chunks(call, passed);
      }
      return passed;
    };
  }

  /** Never throws. */
  after(outcome: CallOutcome): void {
    for (const hook of this.hooks.after) {
      try {
        hook.after(outcome)?.catch((error: unknown) => this.logFailure(hook, error));
      } catch (error) {
        this.logFailure(hook, error);
      }
    }
  }

  private async runBefore<Name extends OperationName>(call: HookedCall<Name>): Promise<ShortCircuit<Name> | undefined> {
    for (const hook of this.hooks.before) {
      const response = await hook.before(call);
      if (response !== undefined) return response;
    }
    return undefined;
  }

  private logFailure({ name }: CallHook, error: unknown): void {
    this.logger.error({ msg: 'a hook failed after its call', hook: name, error: describeError(error) });
  }
}
