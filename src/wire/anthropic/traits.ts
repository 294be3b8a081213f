import type { WireName } from '../../operations/chat/canonical/wire-name.js';
import type { Target } from '../wire-format.js';

/** The traits that this format knows. Absent is what Anthropic's own API does. */
export interface AnthropicTraits {
  /** Whether the provider fetches addresses of images and documents. Default true. */
  readonly urlSources?: boolean;
  /** Whether it takes `output_config.format`, where the model does. Default true. */
  readonly structuredOutput?: boolean;
  /** Whether tools may be strict, where the model takes structured outputs. Default true. */
  readonly strictTools?: boolean;
  /** Whether it takes the `ttl` of a cache breakpoint. Default true. */
  readonly cacheTtl?: boolean;
  /** Where the body is a draft of another format, that format: it has no tools and blocks that only Anthropic knows. */
  readonly draftOf?: WireName;
  /** Whether videos, documents of any type and objects of S3 stay in the draft, since the other format may have them. */
  readonly anyMedia?: boolean;
}

/** The format whose own tools and blocks the provider takes. */
export function ownFormat(target: Target): WireName {
  return (target.traits as AnthropicTraits).draftOf ?? 'anthropic';
}
