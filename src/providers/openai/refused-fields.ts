import { GatewayError } from '../../errors/gateway-error.js';

/** Fields that a request can do without: they change how the model works, not what it is asked. */
const OPTIONAL_FIELDS = [
  'reasoning_effort',
  'verbosity',
  'temperature',
  'top_p',
  'top_k',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'parallel_tool_calls',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'store',
  'metadata',
  'user',
] as const;
/** How servers refuse a field: OpenAI, Azure, Groq, Mistral, vLLM. */
const REFUSED =
  /unrecognized|unsupported|not (?:supported|support|permitted|allowed|accepted)|unknown|unexpected|extra inputs|cannot be used|does not support/i;
/** Model ids come from clients. */
const MAX_MODELS = 1_000;

/**
 * What models refused of requests that were translated from another wire format. Their clients did not ask for these fields by
 * name, so they are left out, for this model from then on. Whether a model takes a field follows from nothing else: operators
 * choose names and addresses.
 */
export class RefusedFields {
  private readonly byModel = new Map<string, Set<string>>();

  of(upstreamModel: string): ReadonlySet<string> {
    return this.byModel.get(upstreamModel) ?? new Set();
  }

  /** @returns the field that the error refuses; undefined where it is another error */
  learn(upstreamModel: string, error: unknown): string | undefined {
    const field = refusedField(error);
    if (field === undefined) return undefined;
    let fields = this.byModel.get(upstreamModel);
    if (fields === undefined) {
      if (this.byModel.size >= MAX_MODELS) this.byModel.clear();
      fields = new Set();
      this.byModel.set(upstreamModel, fields);
    }
    fields.add(field);
    return field;
  }
}

function refusedField(error: unknown): string | undefined {
  if (!(error instanceof GatewayError) || (error.status !== 400 && error.status !== 422)) return undefined;
  const { message, param } = error;
  if (!REFUSED.test(message)) return undefined;
  return OPTIONAL_FIELDS.find((field) => param === field || new RegExp(`\\b${field}\\b`).test(message));
}
