import { GatewayError } from '../errors/gateway-error.js';
import { fieldName, type CanonicalField } from '../operations/chat/canonical/canonical-fields.js';
import type { CanonicalRequest, CustomTool, FunctionTool } from '../operations/chat/canonical/canonical-request.js';
import type { WireName } from '../operations/chat/canonical/wire-name.js';
import { asksForDefault, isIgnorable } from './openai-chat/ignorable-params.js';

/** What a writer leaves out of a request, by the names that the client has for it. */
export class DroppedFields {
  private readonly all = new Set<string>();

  constructor(private readonly client: WireName) {}

  get names(): readonly string[] {
    return [...this.all];
  }

  /** A field that the client set and the provider cannot take. */
  drop(field: CanonicalField): void {
    this.all.add(fieldName(field, this.client));
  }

  /** Something without a canonical field, such as `tools[2]`. */
  dropNamed(name: string): void {
    this.all.add(name);
  }

  /**
   * Members of the request that only the client's format has.
   *
   * @param taken those that the writer has used
   */
  dropExtras({ extras }: CanonicalRequest, taken: ReadonlySet<string> = new Set()): void {
    for (const [name, value] of Object.entries(extras?.[this.client] ?? {})) {
      if (value === undefined || value === null || taken.has(name)) continue;
      if (asksForDefault(name, value) || isIgnorable(name, value)) continue;
      this.all.add(name);
    }
  }
}

/** Looks up tools that are loaded late. Where all tools are sent at once there is nothing to look up. */
const TOOL_SEARCH = /^tool_search_tool_/;

/**
 * The tools that the client runs. Tools that a provider of another format runs are left out and named, since agents send them by
 * default; a request that has no other tool could only get a wrong response. Clients of the Messages API send such a tool only to
 * use it, so there it is refused.
 *
 * @throws GatewayError 400 that names the tool
 */
export function clientTools(
  { tools = [], toolChoice }: CanonicalRequest,
  dropped: DroppedFields,
): readonly (FunctionTool | CustomTool)[] {
  const kept: (FunctionTool | CustomTool)[] = [];
  const hosted: string[] = [];
  const needed: string[] = [];
  tools.forEach((tool, index) => {
    if (tool.type !== 'hosted') {
      kept.push(tool);
      return;
    }
    hosted.push(tool.name);
    if (tool.wire === 'anthropic' && !TOOL_SEARCH.test(tool.name)) needed.push(tool.name);
    dropped.dropNamed(`tools[${index}]`);
  });
  const [first] = [...needed, ...hosted];
  const isChosen = toolChoice?.type === 'tool' && hosted.includes(toolChoice.name);
  if (first !== undefined && (needed.length > 0 || kept.length === 0 || isChosen)) {
    throw new GatewayError({
      status: 400,
      type: 'invalid_request_error',
      code: 'unsupported_value',
      message: `'tools[${tools.findIndex(({ name }) => name === first)}]': the tool '${first.slice(0, 80)}' is run by the provider, and this model's provider does not have it. Leave it out, or choose a model of a provider that has it.`,
      param: 'tools',
    });
  }
  return kept;
}
