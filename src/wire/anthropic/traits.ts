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
}
