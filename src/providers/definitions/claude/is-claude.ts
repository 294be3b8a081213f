const CLAUDE = /(?:^|[./])claude-/;

/** Whether a model of a cloud that runs models of several makers is Anthropic's. */
export function isClaude(modelId: string): boolean {
  return CLAUDE.test(modelId);
}
