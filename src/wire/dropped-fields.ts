import { fieldName, type CanonicalField } from '../operations/chat/canonical/canonical-fields.js';
import type { CanonicalBlock } from '../operations/chat/canonical/blocks.js';
import type { CanonicalRequest } from '../operations/chat/canonical/canonical-request.js';
import type { WireName } from '../operations/chat/canonical/wire-name.js';
import { nonEmptyString, objectOf } from '../runtime/json-value.js';
import { asksForDefault, isIgnorable } from './openai-chat/ignorable-params.js';

/** Where each format of clients has the conversation. A format that is absent has it in `messages`. */
const MESSAGES: { readonly [Wire in WireName]?: string } = { 'openai-responses': 'input', gemini: 'contents' };

/** The client's name of the field that holds the conversation. */
export function messagesField(client: WireName): string {
  return MESSAGES[client] ?? 'messages';
}

/**
 * Members of documents that only Claude takes: whether it cites them, and a text about them. By the client's names, such as
 * `messages[].citations`.
 */
export function documentMembers({ messages }: CanonicalRequest, client: WireName): readonly string[] {
  if (client !== 'anthropic') return [];
  const names = new Set<string>();
  const read = (blocks: readonly CanonicalBlock[]): void => {
    for (const block of blocks) {
      if (block.type === 'tool_result') read(block.content);
      if (block.type !== 'file') continue;
      const { citations, context } = block.extras?.anthropic ?? {};
      if (objectOf(citations)['enabled'] === true) names.add('citations');
      if (nonEmptyString(context) !== undefined) names.add('context');
    }
  };
  for (const { blocks } of messages) read(blocks);
  return [...names].map((name) => `${messagesField(client)}[].${name}`);
}

/** What a writer leaves out of a request, by the names that the client has for it. */
export class DroppedFields {
  private readonly all = new Set<string>();

  /** @param client format of the client, whose names are used */
  constructor(readonly client: WireName) {}

  get names(): readonly string[] {
    return [...this.all];
  }

  /** A field that the client set and the provider cannot take. */
  drop(field: CanonicalField): void {
    this.all.add(fieldName(field, this.client));
  }

  /** A block of the conversation, by its kind, such as `server_tool_use`. */
  dropBlock(kind: string): void {
    this.all.add(`${messagesField(this.client)}[].${kind}`);
  }

  /** Something without a canonical field, such as `tools.strict`. */
  dropNamed(name: string): void {
    this.all.add(name);
  }

  /**
   * Members of the request that only the client's format has.
   *
   * @param taken those that the writer has used
   */
  dropExtras(request: CanonicalRequest, taken: ReadonlySet<string> = new Set()): void {
    const { extras } = request;
    for (const name of documentMembers(request, this.client)) this.all.add(name);
    for (const [name, value] of Object.entries(extras?.[this.client] ?? {})) {
      if (value === undefined || value === null || taken.has(name)) continue;
      if (asksForDefault(name, value) || isIgnorable(name, value)) continue;
      this.all.add(name);
    }
  }
}
