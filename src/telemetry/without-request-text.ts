/** Characters of the request that are compared; for a longer request the provider's message is not logged. */
const MAX_TEXT_CHARACTERS = 1_000_000;
/** Shorter words reveal nothing. */
const MIN_WORD_CHARACTERS = 4;
const WORD = /[\p{L}\p{N}_@.+-]+/gu;
const LEFT_OUT = '…';

/**
 * Creates a function that removes words of the request from a provider's message: a provider may quote a prompt, and prompts are
 * never logged. Names of fields and of the model stay.
 */
export function withoutRequestText(request: {
  readonly model: string;
}): (text: string | undefined) => string | undefined {
  let own: ReadonlySet<string> | undefined | null;
  return (text) => {
    if (text === undefined) return undefined;
    own ??= wordsOf(request);
    if (own === undefined) return undefined;
    const said = own;
    return text.replace(WORD, (word) => (said.has(word.toLowerCase()) || contains(said, word) ? LEFT_OUT : word));
  };
}

/** Whether a word is one of the request's, also when the provider cut it off or joined it to others. */
function contains(own: ReadonlySet<string>, word: string): boolean {
  if (word.length < 2 * MIN_WORD_CHARACTERS) return false;
  const lower = word.toLowerCase();
  for (const each of own) {
    if (each.length >= 2 * MIN_WORD_CHARACTERS && (each.includes(lower) || lower.includes(each))) return true;
  }
  return false;
}

/** @returns undefined when the request is too long to compare */
function wordsOf(request: { readonly model: string }): ReadonlySet<string> | undefined {
  const words = new Set<string>();
  let length = 0;
  const visit = (value: unknown): void => {
    if (length > MAX_TEXT_CHARACTERS) return;
    if (typeof value === 'string') {
      length += value.length;
      if (length > MAX_TEXT_CHARACTERS) return;
      for (const [word] of value.matchAll(WORD)) if (word.length >= MIN_WORD_CHARACTERS) words.add(word.toLowerCase());
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        // Object keys chosen by the client are part of its text, too.
        if (!FIELDS.has(key)) visit(key);
        visit(item);
      }
    }
  };
  const { model: _model, ...rest } = request;
  visit(rest);
  for (const name of FIELDS) words.delete(name);
  return length > MAX_TEXT_CHARACTERS ? undefined : words;
}

/** Names and constants of the API, which errors mention. */
const FIELDS: ReadonlySet<string> = new Set(
  `messages message role content name model stream stream_options include_usage temperature top_p max_tokens
  max_completion_tokens stop seed user metadata tools tool tool_choice tool_calls tool_call_id function functions
  function_call parameters arguments type text image_url input_audio file json_schema json_object response_format schema
  strict required properties items object string number integer boolean array null auto none any system developer assistant
  frequency_penalty presence_penalty logit_bias logprobs top_logprobs parallel_tool_calls reasoning_effort service_tier
  store prediction modalities audio image`.split(/\s+/),
);
