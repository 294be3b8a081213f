import type { JsonObject } from '../../runtime/json-value.js';
import type { ModerationResult } from '../../operations/moderations/moderation-result.js';

/** The response to `POST /v1/moderations`. */
export function writeModeration({ id, model, results }: ModerationResult, newId: () => string): JsonObject {
  return { id: id ?? newId(), model, results };
}
