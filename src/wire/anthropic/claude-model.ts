/** The features of a Claude model, from Anthropic's documentation. */
export interface ClaudeModel {
  /** Most output tokens. */
  readonly maxOutputTokens: number;
  /** Whether it thinks at all. */
  readonly thinks: boolean;
  /** Whether it decides for itself how long it thinks, and is given an effort. */
  readonly isAdaptive: boolean;
  /** Whether it takes `thinking: {type: "enabled", budget_tokens}`. */
  readonly takesBudget: boolean;
  /** Whether thinking can be switched off. */
  readonly canStopThinking: boolean;
  /** Whether `between_tools` is its least thinking. */
  readonly thinksBetweenTools: boolean;
  /** Whether it keeps its thinking to itself unless asked. */
  readonly hidesThinking: boolean;
  /** Whether it takes temperature, top_p and top_k. */
  readonly takesSampling: boolean;
  /** Whether it can be made to call a tool. */
  readonly takesForcedTool: boolean;
  /** Whether it takes `output_config.format` and strict tools. */
  readonly hasStructuredOutput: boolean;
}

/** `claude-sonnet-4-5-20250929`, `us.anthropic.claude-opus-4-6-v1`, `claude-haiku-4.5@2025...`, `claude-opus-5`. */
const NEW_NAME = /claude-([a-z]+)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/;
/** `claude-3-7-sonnet-20250219`, `claude-3-haiku`. */
const OLD_NAME = /claude-(\d)(?:[-.](\d))?-[a-z]+/;

/**
 * The facts of a model. An id that does not name a Claude model, such as the ARN of an inference profile or the name of a
 * deployment, says nothing: then everything that some Claude takes is sent, and the provider decides.
 *
 * @param modelId the model's id at the provider
 */
export function claudeModel(modelId: string): ClaudeModel {
  const [, family, major, minor] = NEW_NAME.exec(modelId) ?? [];
  if (family !== undefined && major !== undefined) return newModel(family, Number(major) + Number(minor ?? 0) / 100);
  const [, oldMajor, oldMinor] = OLD_NAME.exec(modelId) ?? [];
  if (oldMajor !== undefined) return oldModel(Number(oldMajor) + Number(oldMinor ?? 0) / 100);
  return { ...newModel('sonnet', 4.05), takesBudget: true };
}

/** @param version 4.05 for 4.5, so that 4.10 is more than 4.9 */
function newModel(family: string, version: number): ClaudeModel {
  const isAdaptive = version >= 4.06;
  const isSilent = version >= 4.07;
  const alwaysThinks =
    version >= 5.05 ? family !== 'haiku' : version >= 5 && (family === 'fable' || family === 'mythos');
  return {
    maxOutputTokens: maxOutputOf(family, version),
    thinks: true,
    isAdaptive,
    takesBudget: !isSilent,
    canStopThinking: !alwaysThinks,
    thinksBetweenTools: family === 'sonnet' && version >= 5.05,
    hidesThinking: isSilent,
    takesSampling: !isSilent,
    takesForcedTool: !((version >= 5.05 && family !== 'haiku') || (version >= 5.01 && family === 'fable')),
    hasStructuredOutput: version >= 4.05 || (family === 'opus' && version >= 4.01),
  };
}

function maxOutputOf(family: string, version: number): number {
  if (version >= 4.06) return 128_000;
  if (version >= 4.05) return 64_000;
  return family === 'opus' ? 32_000 : 64_000;
}

function oldModel(version: number): ClaudeModel {
  const thinks = version >= 3.07;
  return {
    maxOutputTokens: thinks ? 64_000 : version >= 3.05 ? 8192 : 4096,
    thinks,
    isAdaptive: false,
    takesBudget: thinks,
    canStopThinking: true,
    thinksBetweenTools: false,
    hidesThinking: false,
    takesSampling: true,
    takesForcedTool: true,
    hasStructuredOutput: false,
  };
}
