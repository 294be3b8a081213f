/** A fault at start that the operator can fix. Its message is one line with the fix, and contains no secret. */
export class BootError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(`llm-gateway cannot start: ${message}`, options);
    this.name = 'BootError';
  }
}
