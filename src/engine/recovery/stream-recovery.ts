import type { RecoveryMode } from '../../calls/routing-overrides.js';
import type { BilledUsage } from '../../operations/billed-tokens.js';
import type { ChatRequest } from '../../operations/chat/chat-completion.js';
import type { Collector } from '../../operations/operation.js';
import type { ChunkOf, OperationName, OperationStream, RequestOf } from '../../operations/operation-types.js';
import type { Deployment, ResolvedModel } from '../../routing/resolved-model.js';
import type { PreparedAttempt } from '../prepared-attempt.js';
import { ChatRecovery } from './chat-recovery.js';
import type { PrefillSupport } from './prefill.js';

/** Follows a stream on its way to the client, so that another deployment can go on with it. */
export interface StreamRecovery<Name extends OperationName> {
  /** Whether another deployment can go on now. */
  readonly isPossible: boolean;
  /** How often another deployment has gone on. */
  readonly recovered: number;
  /** Takes what a deployment sends. @returns what the client gets now */
  pass(group: readonly ChunkOf<Name>[]): readonly ChunkOf<Name>[];
  /** The deployment has ended its response. @returns the rest; empty the second time */
  end(): readonly ChunkOf<Name>[];
  /** The stream has broken. @returns what the deployment consumed */
  broke(): BilledUsage | undefined;
  /** What a deployment is sent, so that it can go on. */
  requestFor(deployment: Deployment): RequestOf<Name>;
  /** Opens the stream that goes on. */
  open(prepared: PreparedAttempt<Name>): Promise<OperationStream<Name>>;
  /** Gives the collector of the call the request of the deployment that goes on. */
  describe(collector: Collector<Name>): void;
}

/** The recovery of a stream; undefined where the operation has none, or it is off for the request or the model. */
export function recoveryOf<Name extends OperationName>(
  operation: Name,
  request: RequestOf<Name>,
  model: Pick<ResolvedModel, 'streamRecovery' | 'holdBack'>,
  requested: RecoveryMode | undefined,
  prefills: PrefillSupport,
): StreamRecovery<Name> | undefined {
  const mode = requested ?? model.streamRecovery;
  if (operation !== 'chat' || mode === 'off') return undefined;
  const recovery: StreamRecovery<'chat'> = new ChatRecovery(request as ChatRequest, {
    mode,
    holdBack: model.holdBack,
    prefills,
  });
  return recovery as unknown as StreamRecovery<Name>;
}
