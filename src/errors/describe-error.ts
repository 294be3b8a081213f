import { GatewayError } from './gateway-error.js';

/** The members of an error that may be logged. */
export interface ErrorDescription {
  name: string;
  code?: string | number;
  message?: string;
  stack?: string[];
  cause?: ErrorDescription;
}

/**
 * An allow-list, because errors contain content: a JSON SyntaxError quotes the text, a failed query has its parameters, an
 * upstream's error may repeat the prompt. So a message is left out where it may quote a request or a response, and no property
 * other than `code` is read.
 */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { name: typeof error };
  const code = 'code' in error ? error.code : undefined;
  const mayQuote = error instanceof SyntaxError || error instanceof GatewayError;
  const description: ErrorDescription = { name: error.name };
  if (typeof code === 'string' || typeof code === 'number') description.code = code;
  if (!mayQuote) description.message = error.message;
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim());
  if (frames.length > 0) description.stack = frames;
  if (error.cause !== undefined && depth < 3) description.cause = describeError(error.cause, depth + 1);
  return description;
}
