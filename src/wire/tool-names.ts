import { createHash } from 'node:crypto';

/** The alphabet and length of names or ids that a provider takes. */
export interface NameRule {
  /** Matches one character that is not taken, with the flag `g`. */
  readonly refused: RegExp;
  readonly maxLength: number;
  /** Whether a name may begin with anything but a letter or an underscore. Default true. */
  readonly startsWithAny?: boolean;
}

/** `[a-zA-Z0-9_-]{1,64}`, which OpenAI, Anthropic and Bedrock have for the names of tools. */
export const TOOL_NAME_RULE: NameRule = { refused: /[^a-zA-Z0-9_-]/g, maxLength: 64 };
/** OpenAI's bound of tool call ids. */
export const CALL_ID_RULE: NameRule = { refused: /[^a-zA-Z0-9_-]/g, maxLength: 40 };

const HASH_DIGITS = 8;

/** Hexadecimal digits that depend on the text alone, so that every turn and every process makes the same name of it. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
}

/** The name itself where the provider takes it, else one that it takes and that no other name becomes. */
export function fitName(name: string, { refused, maxLength, startsWithAny = true }: NameRule): string {
  const cleaned = name.replace(refused, '_');
  const isGood = cleaned === name && name !== '' && name.length <= maxLength;
  if (isGood && (startsWithAny || /^[a-zA-Z_]/.test(name))) return name;
  const start = startsWithAny || /^[a-zA-Z_]/.test(cleaned) ? cleaned : `_${cleaned}`;
  return `${start.slice(0, maxLength - HASH_DIGITS - 1)}_${hashOf(name)}`;
}

/** Names of tools within one request as the provider takes them, and the way back. */
export class ToolNames {
  /** The client's names by those at the provider; only names that were changed. */
  readonly changed = new Map<string, string>();

  constructor(private readonly rule: NameRule = TOOL_NAME_RULE) {}

  fit(name: string): string {
    const fitted = fitName(name, this.rule);
    if (fitted !== name) this.changed.set(fitted, name);
    return fitted;
  }

  /** For `Written.toolNames`; undefined where nothing was changed. */
  get map(): ReadonlyMap<string, string> | undefined {
    return this.changed.size === 0 ? undefined : this.changed;
  }
}
