/** What Google's documentation says of a model by its id. Ids that are not Google's get the newest behaviour of Gemini. */
export interface ModelFamily {
  /** How the model is asked to think: by a level (Gemini 3), by a number of tokens (2.5), or not at all. */
  readonly thinking: 'level' | 'budget' | 'none';
  /** Fewest and most thinking tokens that a number may ask for. */
  readonly budgets: { readonly off: number; readonly least: number; readonly most: number };
  /** Whether it refuses calls in a history that come without the signature that it gave them. */
  readonly requiresSignatures: boolean;
  /** Whether images may stand within a function response. */
  readonly hasResponseParts: boolean;
  /** Whether JSON output may be asked for together with functions. */
  readonly hasJsonWithTools: boolean;
  /** Whether it has a place for system instructions. */
  readonly hasSystem: boolean;
  /** Whether the Gemini API refuses penalties other than 0 for it. */
  readonly refusesPenalties: boolean;
}

const GEMINI_1_OR_2 = /gemini-[12](?:[.-]|$)|gemini-pro(?:-vision)?$|gemini-robotics-er-1\.5/i;
const BUDGET_MODELS = /gemini-2\.5|gemini-robotics-er-1\.5/i;
const THINKING_OFF = /gemini-[12](?:[.-]|$)|gemini-pro(?:-vision)?$|image|tts|audio|embedding/i;

/** @param model the id at the provider, with or without `models/` */
export function familyOf(model: string): ModelFamily {
  const isGemma = /(?:^|\/)gemma/i.test(model);
  const isOlder = isGemma || GEMINI_1_OR_2.test(model);
  const hasBudget = BUDGET_MODELS.test(model) && !/image|tts/i.test(model);
  const isPro = /pro/i.test(model);
  const isLite = /lite/i.test(model);
  return {
    thinking: hasBudget ? 'budget' : isGemma || THINKING_OFF.test(model) ? 'none' : 'level',
    // 2.5 Pro cannot be kept from thinking.
    budgets: isPro ? { off: 128, least: 128, most: 32_768 } : { off: 0, least: isLite ? 512 : 1, most: 24_576 },
    requiresSignatures: !isOlder,
    hasResponseParts: !isOlder,
    hasJsonWithTools: !isOlder,
    hasSystem: !isGemma,
    refusesPenalties: /gemini-2\.5/i.test(model),
  };
}
