import { hasParts, type ModerationRequest } from '../../operations/moderations/moderation-request.js';
import type { Moderation } from '../../operations/moderations/moderation-result.js';

/** OpenAI's categories, each with words by which the sandbox recognises it. */
const CATEGORY_WORDS: Readonly<Record<string, readonly string[]>> = {
  harassment: ['idiot', 'loser', 'moron'],
  'harassment/threatening': [],
  hate: ['subhuman', 'vermin'],
  'hate/threatening': [],
  illicit: ['counterfeit', 'smuggle', 'shoplift'],
  'illicit/violent': ['bomb', 'explosive'],
  'self-harm': ['suicide', 'self-harm'],
  'self-harm/intent': [],
  'self-harm/instructions': [],
  sexual: ['porn', 'nude'],
  'sexual/minors': [],
  violence: ['kill', 'murder', 'stab', 'shoot', 'bomb'],
  'violence/graphic': ['gore', 'dismember'],
};
/** The categories that OpenAI checks in pictures, too. */
const OF_IMAGES = new Set([
  'self-harm',
  'self-harm/intent',
  'self-harm/instructions',
  'sexual',
  'violence',
  'violence/graphic',
]);
const FOUND = 0.98;
const NOT_FOUND = 0.0001;

/** The sandbox's moderation: a category is flagged where the text has one of its words. Pictures are ignored. */
export function sandboxModerations({ input }: Pick<ModerationRequest, 'input'>): Moderation[] {
  if (typeof input === 'string') return [moderate(input, ['text'])];
  if (!hasParts(input)) return input.map((text) => moderate(text, ['text']));
  const texts = input.flatMap(({ text }) => (typeof text === 'string' ? [text] : []));
  const types = [
    ...(texts.length > 0 ? ['text'] : []),
    ...(input.some(({ type }) => type === 'image_url') ? ['image'] : []),
  ];
  return [moderate(texts.join('\n'), types)];
}

function moderate(text: string, types: readonly string[]): Moderation {
  const words = new Set(text.toLowerCase().match(/[\p{L}-]+/gu) ?? []);
  const found = Object.entries(CATEGORY_WORDS).map(
    ([name, list]) => [name, list.some((word) => words.has(word))] as const,
  );
  return {
    flagged: found.some(([, isFound]) => isFound),
    categories: Object.fromEntries(found),
    category_scores: Object.fromEntries(found.map(([name, isFound]) => [name, isFound ? FOUND : NOT_FOUND])),
    category_applied_input_types: Object.fromEntries(
      found.map(([name]) => [name, types.filter((type) => type === 'text' || OF_IMAGES.has(name))]),
    ),
  };
}
