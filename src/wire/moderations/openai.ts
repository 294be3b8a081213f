import type { JsonObject } from '../../runtime/json-value.js';
import { resultCount, type ModerationRequest } from '../../operations/moderations/moderation-request.js';
import type { ModerationResult } from '../../operations/moderations/moderation-result.js';
import type { ModerationWire, WrittenModeration } from './moderation-wire.js';
import { membersOf, readModeration } from './read-results.js';

/** Members that the gateway reads itself. */
const OWN_MEMBERS = new Set(['strict_params', 'metadata']);

/** `POST /moderations` of OpenAI and of servers that follow it. */
export class OpenAiModerations implements ModerationWire {
  constructor(private readonly upstreamModel: string) {}

  dropped(): string[] {
    return [];
  }

  write(request: ModerationRequest): WrittenModeration {
    const body: JsonObject = {};
    for (const [name, value] of Object.entries(request)) {
      if (value !== null && !OWN_MEMBERS.has(name)) body[name] = value;
    }
    body['model'] = this.upstreamModel;
    return { path: '/moderations', body };
  }

  read(text: string, request: ModerationRequest): ModerationResult {
    return readModeration(text, resultCount(request), this.upstreamModel, (result) => {
      const categories = membersOf(result['categories'], 'boolean');
      const { flagged } = result;
      return {
        ...result,
        flagged: typeof flagged === 'boolean' ? flagged : Object.values(categories).includes(true),
        // The older models have null for the categories that they do not know.
        categories: result['categories'] as Record<string, boolean>,
        category_scores: membersOf(result['category_scores'], 'number'),
      };
    });
  }
}
