import type { CanonicalMessage } from '../../operations/chat/canonical/blocks.js';

/** In front of the text of a compaction that the gateway made; what a provider made is opaque and has none. */
const PREFIX = 'gw1.compaction.';

/** The instruction for the model to compact a conversation. */
export const COMPACTION_PROMPT = [
  'Summarise the conversation above, so that another model can go on from your summary without the conversation.',
  'Keep: what the user wants, in the words that matter; decisions and their reasons; facts that were found out; files, functions,',
  'commands, identifiers and values by their exact names; what is done, what is left to do, and what the next step is.',
  'Leave out greetings and what has turned out to be wrong. Write the summary alone, and call no tool.',
].join(' ');

const INTRODUCTION =
  'The earlier part of this conversation was compacted. This is its summary; go on from here, and do not repeat work that it reports as done.';

/** The text of a compaction as `encrypted_content`. Clients treat it as opaque. */
export function writeCompaction(text: string): string {
  return PREFIX + Buffer.from(text, 'utf8').toString('base64url');
}

/** The text of a compaction that the gateway made; undefined for any other. */
export function readCompaction(encrypted: unknown): string | undefined {
  if (typeof encrypted !== 'string' || !encrypted.startsWith(PREFIX)) return undefined;
  return Buffer.from(encrypted.slice(PREFIX.length), 'base64url').toString('utf8');
}

/** The text that a model receives in place of a compaction that the gateway made. */
export function compactionText(summary: string): string {
  return `${INTRODUCTION}\n\n${summary}`;
}

/** The last message of a conversation that is to be compacted. */
export function compactionRequest(): CanonicalMessage {
  return { role: 'user', blocks: [{ type: 'text', text: COMPACTION_PROMPT }] };
}
