import type { Usage } from '../../operations/chat/chat-completion.js';
import { isObject, JsonObject } from '../../runtime/json-value.js';
import { normaliseUsage } from './normalise-usage.js';

/** Members of a response that contain `usage` on some servers, besides the response itself: Groq's streams, and others' envelopes. */
const ENVELOPES = ['x_groq', 'meta', 'metadata', 'response'] as const;

/**
 * Collects the token counts of a response from anywhere servers put them: beside the choices, within the last choice (Moonshot)
 * or its delta or message, in an envelope (Groq), in Gemini's or Ollama's own format. Counts only grow, so the larger of several
 * values is used.
 */
export class UsageCollector {
  private ofResponse: Usage | undefined;
  private readonly ofChoices = new Map<number, Usage>();

  /** Undefined when the server counted nothing. */
  get total(): Usage | undefined {
    if (this.ofResponse !== undefined) return this.ofResponse;
    const counts = [...this.ofChoices.values()];
    const [first] = counts;
    if (first === undefined || counts.length === 1) return first;
    // The prompt is the same for all choices.
    const prompt = Math.max(...counts.map((usage) => usage.prompt_tokens));
    const completion = counts.reduce((sum, usage) => sum + usage.completion_tokens, 0);
    return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  }

  /** Reads a whole response or one chunk of it. Removes the counts from its choices. */
  read(body: JsonObject): void {
    const usage = usageBeside(body);
    if (usage !== undefined) this.ofResponse = merged(this.ofResponse, usage);
    const { choices } = body;
    if (!Array.isArray(choices)) return;
    for (let index = 0; index < choices.length; index += 1) {
      const choice: unknown = choices[index];
      if (isObject(choice)) this.readChoice(choice, index);
    }
  }

  private readChoice(choice: JsonObject, position: number): void {
    const usage = takeUsage(choice) ?? takeUsage(choice['delta']) ?? takeUsage(choice['message']);
    if (usage === undefined) return;
    const index = typeof choice['index'] === 'number' ? choice['index'] : position;
    this.ofChoices.set(index, merged(this.ofChoices.get(index), usage));
  }
}

function usageBeside(body: JsonObject): Usage | undefined {
  const { usage } = body;
  if (usage !== undefined && usage !== null) {
    const counts = normaliseUsage(usage);
    if (counts !== undefined) return counts;
  }
  for (const name of ENVELOPES) {
    const envelope = body[name];
    const counts = isObject(envelope) ? normaliseUsage(envelope['usage'] ?? envelope['tokens']) : undefined;
    if (counts !== undefined) return counts;
  }
  return ofGemini(body['usageMetadata'] ?? body['usage_metadata']) ?? ofOllama(body);
}

function ofGemini(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  return normaliseUsage({
    prompt_tokens: value['promptTokenCount'] ?? value['prompt_token_count'],
    completion_tokens: value['candidatesTokenCount'] ?? value['candidates_token_count'],
    total_tokens: value['totalTokenCount'] ?? value['total_token_count'],
    cached_tokens: value['cachedContentTokenCount'] ?? value['cached_content_token_count'],
  });
}

function ofOllama({ prompt_eval_count: prompt, eval_count: completion }: JsonObject): Usage | undefined {
  if (prompt === undefined && completion === undefined) return undefined;
  return normaliseUsage({ prompt_tokens: prompt, completion_tokens: completion });
}

/** Counts within a choice are no field of OpenAI's, and go to the client in one place alone. */
function takeUsage(holder: unknown): Usage | undefined {
  if (!isObject(holder) || !isObject(holder['usage'])) return undefined;
  const usage = normaliseUsage(holder['usage']);
  if (usage !== undefined) holder['usage'] = undefined;
  return usage;
}

/** Servers that count in two chunks give the prompt in the first and the rest in the last, with 0 for the other. */
function merged(before: Usage | undefined, usage: Usage): Usage {
  if (before === undefined) return usage;
  const prompt = Math.max(before.prompt_tokens, usage.prompt_tokens);
  const completion = Math.max(before.completion_tokens, usage.completion_tokens);
  const total = Math.max(before.total_tokens, usage.total_tokens, prompt + completion);
  return { ...before, ...usage, prompt_tokens: prompt, completion_tokens: completion, total_tokens: total };
}
