import { permissionDenied } from '../../errors/gateway-error.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { SOURCE } from './canonical/sources.js';
import type { ChatRequest } from './chat-completion.js';

/** Tools that the client itself runs, in OpenAI's form. */
const CLIENT_TYPES: ReadonlySet<unknown> = new Set(['function', 'custom']);
const ENTRY = /^tools(?:\[(\d+)\])?$/;

/** A tool that its provider runs, which is billed by use. */
interface UnpricedTool {
  readonly type: string;
  /** The name of the tool in `tool_choice`. */
  readonly names: readonly string[];
  /** Where it is in the client's body: `tools[1]`. */
  readonly place: string;
}

/** A request without such tools. */
export interface WithoutUnpriced {
  readonly request: ChatRequest;
  /** The tools that were left out, such as `tools[1].web_search`. */
  readonly dropped: readonly string[];
}

/**
 * The request without tools that a provider runs: prices of tokens do not cover them. Agents offer such tools by default, so they are
 * left out, as where a provider lacks them.
 *
 * @throws GatewayError 403 where nothing else is offered, or `tool_choice` asks for one
 */
export function withoutUnpricedTools(request: ChatRequest): WithoutUnpriced {
  const { unpriced, hasOthers, choice } = toolsOf(request);
  if (unpriced.length === 0) return { request, dropped: [] };
  const chosen = unpriced.find(({ names }) => choice.some((name) => names.includes(name)));
  const refused = chosen ?? (hasOthers ? undefined : unpriced[0]);
  if (refused !== undefined) {
    throw permissionDenied(
      `This key has a budget, and its prices do not cover the provider's own tools: leave out ${refused.place}, or ask the operator for the scope 'provider_options'.`,
      'insufficient_scope',
      `${refused.place}.type`,
    );
  }
  const reduce = (body: Readonly<JsonObject>): JsonObject => ({
    ...body,
    tools: remaining(body['tools'], unpriced),
  });
  const source = request[SOURCE];
  return {
    request: source === undefined ? (reduce(request) as ChatRequest) : source.changed(reduce),
    dropped: unpriced.map(({ place, type }) => `${place}.${type}`),
  };
}

interface Tools {
  readonly unpriced: readonly UnpricedTool[];
  readonly hasOthers: boolean;
  /** Names of which the model must call one. */
  readonly choice: readonly string[];
}

function toolsOf(request: ChatRequest): Tools {
  const canonical = request[SOURCE]?.canonical;
  if (canonical !== undefined) {
    const { tools = [], toolChoice } = canonical;
    const unpriced = tools.flatMap((tool, index): UnpricedTool[] => {
      if (tool.type !== 'hosted') return [];
      const own = nonEmptyString(tool.value['name']);
      const place = tool.place ?? `tools[${index}]`;
      return [{ type: tool.name, names: own === undefined ? [tool.name] : [tool.name, own], place }];
    });
    const isForbidden = toolChoice?.type === 'none';
    return { unpriced, hasOthers: isForbidden || unpriced.length < tools.length, choice: namesOf(toolChoice) };
  }
  const listed: readonly unknown[] = Array.isArray(request.tools) ? request.tools : [];
  const unpriced = listed.flatMap((tool, index): UnpricedTool[] => {
    const type = isObject(tool) ? tool['type'] : undefined;
    if (typeof type !== 'string' || CLIENT_TYPES.has(type)) return [];
    return [{ type, names: [type], place: `tools[${index}]` }];
  });
  const choice: unknown = request.tool_choice;
  const named = isObject(choice) ? nonEmptyString(choice['type']) : undefined;
  return {
    unpriced,
    hasOthers: choice === 'none' || unpriced.length < listed.length,
    choice: named === undefined ? [] : [named],
  };
}

function namesOf(
  choice: { readonly type: string; readonly name?: string; readonly names?: readonly string[] } | undefined,
): readonly string[] {
  if (choice?.type === 'tool' && choice.name !== undefined) return [choice.name];
  return choice?.type === 'allowed' ? (choice.names ?? []) : [];
}

/** The tools of a body that are left. In Gemini's form one entry may have several, each as a member. */
function remaining(tools: unknown, unpriced: readonly UnpricedTool[]): unknown {
  const at = (index: number): readonly UnpricedTool[] =>
    unpriced.filter(({ place }) => Number(ENTRY.exec(place)?.[1] ?? 0) === index && ENTRY.test(place));
  const reduced = (entry: unknown, index: number): readonly unknown[] => {
    const found = at(index);
    if (found.length === 0 || !isObject(entry)) return [entry];
    if (typeof entry['type'] === 'string') return [];
    const names = new Set(found.map(({ type }) => bare(type)));
    const rest = Object.entries(entry).filter(([name]) => !names.has(bare(name)));
    return rest.length === 0 ? [] : [Object.fromEntries(rest)];
  };
  return Array.isArray(tools) ? tools.flatMap(reduced) : reduced(tools, 0)[0];
}

function bare(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}
