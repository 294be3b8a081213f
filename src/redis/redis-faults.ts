/** What a Redis says that cannot write for anyone now: the fault is the server's, whichever key is asked for. */
const SERVER_FAULT =
  /(?:^|[\s-])(?:OOM|READONLY|MISCONF|NOREPLICAS|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|NOAUTH|WRONGPASS|NOPERM)\b/;

/**
 * Whether a failure concerns one command or key (a wrong type, a script's error) and not the connection or the server. Replies
 * of the server carry this name; everything else is the connection's.
 */
export function isCommandFault(error: unknown): boolean {
  return isReply(error) && !SERVER_FAULT.test(error.message);
}

/** Whether the server responds, but accepts no writes from any client now: it is out of memory, read-only, loading or busy. */
export function isServerFault(error: unknown): boolean {
  return isReply(error) && SERVER_FAULT.test(error.message);
}

/** Whether a connection was made and gave no response in time; ioredis has words for it and no code. */
export function isTooSlow(error: unknown): boolean {
  return error instanceof Error && (error.message === 'Command timed out' || error.message === 'Connection is closed.');
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
