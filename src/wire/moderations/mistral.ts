import { invalidRequest } from '../../errors/gateway-error.js';
import { hasParts, resultCount, type ModerationRequest } from '../../operations/moderations/moderation-request.js';
import type { ModerationResult } from '../../operations/moderations/moderation-result.js';
import type { ModerationWire, WrittenModeration } from './moderation-wire.js';
import { membersOf, readModeration } from './read-results.js';

const READ = ['model', 'input', 'strict_params', 'metadata'];
/** Mistral's categories that mean one of OpenAI's. The others keep their names alone. */
const OPENAI_CATEGORIES: Readonly<Record<string, string>> = {
  hate_and_discrimination: 'hate',
  violence_and_threats: 'violence',
  dangerous_and_criminal_content: 'illicit',
  selfharm: 'self-harm',
};

/** Mistral's `POST /v1/moderations`: texts alone, categories of its own, and no `flagged`. */
export class MistralModerations implements ModerationWire {
  constructor(private readonly upstreamModel: string) {}

  dropped(request: ModerationRequest): string[] {
    return Object.keys(request).filter((name) => request[name] != null && !READ.includes(name));
  }

  write(request: ModerationRequest): WrittenModeration {
    return { path: '/moderations', body: { model: this.upstreamModel, input: textsOf(request) } };
  }

  read(text: string, request: ModerationRequest): ModerationResult {
    return readModeration(text, resultCount(request), this.upstreamModel, (result) => {
      const categories = membersOf(result['categories'], 'boolean');
      const scores = membersOf(result['category_scores'], 'number');
      return {
        flagged: Object.values(categories).includes(true),
        categories: { ...categories, ...translated(categories) },
        category_scores: { ...scores, ...translated(scores) },
      };
    });
  }
}

function textsOf({ input }: ModerationRequest): string | readonly string[] {
  if (!hasParts(input)) return input;
  return input
    .map((part, index) => {
      if (typeof part['text'] === 'string' && part.type === 'text') return part['text'];
      const path = `input[${index}]`;
      throw invalidRequest(
        `'${path}' must be text: this model's provider moderates no '${part.type}'.`,
        path,
        'unsupported_value',
      );
    })
    .join('\n');
}

function translated<T>(members: Readonly<Record<string, T>>): Record<string, T> {
  const entries = Object.entries(members).flatMap(([name, value]) => {
    const openAi = OPENAI_CATEGORIES[name];
    return openAi === undefined ? [] : ([[openAi, value]] as const);
  });
  return Object.fromEntries(entries);
}
