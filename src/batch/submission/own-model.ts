/** The model that a task itself names, if it differs from its job's. @param request JSON text */
export function ownModel(request: string, jobModel: string): string | null {
  // Few tasks name one, and parsing all of them again would take long.
  if (!request.includes('"model":')) return null;
  const { model } = JSON.parse(request) as { model?: unknown };
  return typeof model === 'string' && model !== jobModel ? model : null;
}
