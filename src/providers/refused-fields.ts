import { GatewayError } from '../errors/gateway-error.js';

/**
 * Fields that a request can do without, by OpenAI's names: they change how the model works, not what it is asked. Each with the words
 * by which a refusal names it, in any wire format.
 */
const OPTIONAL_FIELDS = {
  reasoning_effort:
    /\b(?:reasoning[._]effort|effort|thinking_?(?:level|budget|config))\b|'reasoning'|(?:support|allow)\w* (?:thinking|reasoning)|(?:thinking|reasoning) is not/i,
  verbosity: /\bverbosity\b/,
  // Listed before temperature: if the two exclude each other, this one is left out.
  top_p: /\btop_?p\b/i,
  temperature: /\btemperature\b/,
  top_k: /\btop_?k\b/i,
  seed: /\bseed\b/,
  presence_penalty: /\bpresence_?penalty\b/i,
  frequency_penalty: /\bfrequency_?penalty\b/i,
  parallel_tool_calls: /\bparallel_tool_calls\b/,
  prompt_cache_key: /\bprompt_cache_key\b/,
  prompt_cache_retention: /\bprompt_cache_retention\b/,
  safety_identifier: /\bsafety_identifier\b/,
  service_tier: /\bservice_?tier\b/i,
  store: /\bstore\b/,
  metadata: /\bmetadata\b/,
  user: /\buser\b(?! (?:message|role|turn))/,
} as const;
export type OptionalField = keyof typeof OPTIONAL_FIELDS;

/** How providers refuse a field: OpenAI, Azure, Groq, Mistral, vLLM, Anthropic, Gemini, Bedrock. */
const REFUSED =
  /unrecognized|unsupported|not (?:supported|support|permitted|allowed|accepted)|unknown|unexpected|extra inputs|extraneous|cannot (?:be used|both be)|does not support|is deprecated for this model/i;
/** Model ids come from clients. */
const MAX_MODELS = 1_000;

/**
 * Fields that models refused in requests that were translated from another wire format. Their clients did not ask for these
 * fields by name, so they are left out, for this model from then on. Whether a model takes a field follows from nothing else:
 * operators choose names and addresses.
 */
export class RefusedFields {
  private readonly byModel = new Map<string, Set<OptionalField>>();

  of(upstreamModel: string): ReadonlySet<OptionalField> {
    return this.byModel.get(upstreamModel) ?? new Set();
  }

  /** @returns the field that the error refuses; undefined where it is another error */
  learn(upstreamModel: string, error: unknown): OptionalField | undefined {
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

/**
 * Sends a request again without a field that the model refuses, until it takes it; each refusal is met once for a model.
 *
 * @param send leaves out the fields that `refused` has
 */
export async function untilTaken<Result>(
  refused: RefusedFields,
  upstreamModel: string,
  send: () => Promise<Result>,
): Promise<Result> {
  const left = new Set<OptionalField>();
  for (;;) {
    try {
      return await send();
    } catch (error) {
      const field = refused.learn(upstreamModel, error);
      if (field === undefined || left.has(field)) throw error;
      left.add(field);
    }
  }
}

const NAMES = Object.keys(OPTIONAL_FIELDS) as OptionalField[];

function refusedField(error: unknown): OptionalField | undefined {
  if (!(error instanceof GatewayError) || error.rejectedByGateway) return undefined;
  if (error.status !== 400 && error.status !== 422) return undefined;
  const { message, param } = error;
  if (!REFUSED.test(message)) return undefined;
  return NAMES.find((name) => param === name) ?? NAMES.find((name) => OPTIONAL_FIELDS[name].test(message));
}
