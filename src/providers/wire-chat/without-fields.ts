import type { CanonicalRequest } from '../../operations/chat/canonical/canonical-request.js';
import type { OptionalField } from '../refused-fields.js';

/** Where the canonical request has what OpenAI names so; absent where no other format has it. */
const MEMBERS: Partial<Record<OptionalField, keyof CanonicalRequest>> = {
  reasoning_effort: 'reasoning',
  verbosity: 'verbosity',
  temperature: 'temperature',
  top_p: 'topP',
  top_k: 'topK',
  seed: 'seed',
  presence_penalty: 'presencePenalty',
  frequency_penalty: 'frequencyPenalty',
  parallel_tool_calls: 'parallelToolCalls',
  prompt_cache_key: 'promptCacheKey',
  service_tier: 'serviceTier',
  store: 'store',
  metadata: 'metadata',
  user: 'endUser',
};

/** A body without some fields, and their names. */
export interface FieldsLeftOut {
  readonly request: CanonicalRequest;
  /** Fields that were there, by OpenAI's names. */
  readonly dropped: readonly OptionalField[];
}

/** The request without fields that its model refuses. */
export function withoutFields(request: CanonicalRequest, refused: ReadonlySet<OptionalField>): FieldsLeftOut {
  const dropped = [...refused].filter((field) => {
    const member = MEMBERS[field];
    return member !== undefined && request[member] !== undefined;
  });
  if (dropped.length === 0) return { request, dropped };
  const copy = { ...request };
  for (const field of dropped) {
    const member = MEMBERS[field];
    if (member !== undefined) Reflect.deleteProperty(copy, member);
  }
  return { request: copy, dropped };
}
