import type { CanonicalBlock } from '../../operations/chat/canonical/blocks.js';
import type { CanonicalResult } from '../../operations/chat/canonical/canonical-result.js';
import type { JsonObject } from '../../runtime/json-value.js';
import type { WriteContext } from '../wire-format.js';
import { CalledTools } from './called-tools.js';
import { writeFinish } from './finish-reason.js';
import { extra } from './item-extras.js';
import { compactionItem, outputItems } from './output-items.js';
import { ResponseIds, responseObject } from './response-object.js';

/** A response of the API from any provider's result. It has one choice, as the API has. */
export function writeResponse(result: CanonicalResult, context: WriteContext): JsonObject {
  const ids = new ResponseIds(context);
  const [choice = { blocks: [], finish: 'stop' as const }] = result.choices;
  const { status, incomplete_details: incompleteDetails } = writeFinish(choice.finish, choice.blocks);
  const output = isCompaction(context)
    ? [compactionItem(ids.item('cmp', 0), textOf(choice.blocks))]
    : outputItems(choice.blocks, new CalledTools(context.request), ids, status);
  return responseObject(ids, context, {
    status,
    incompleteDetails,
    output,
    usage: result.usage,
    serviceTier: result.serviceTier,
    model: result.model,
  });
}

/** Whether the request asks for a summary of the conversation instead of its next turn. */
export function isCompaction({ request }: Pick<WriteContext, 'request'>): boolean {
  return extra(request, 'compaction') === true;
}

/** The text of all text blocks. */
export function textOf(blocks: readonly CanonicalBlock[]): string {
  return blocks.map((block) => (block.type === 'text' ? block.text : '')).join('');
}
