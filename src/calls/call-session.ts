import type { IncomingHttpHeaders } from 'node:http';

/**
 * Headers by which clients name their session, in the order in which they are read: Claude Code; Codex, of which versions differ, and
 * pi; opencode; others.
 */
export const SESSION_HEADERS = [
  'x-claude-code-session-id',
  'session_id',
  'session-id',
  'x-session-affinity',
  'x-session-id',
] as const;
/** Headers by which clients name one of several agents that work in a session: Claude Code, Codex, others. */
const AGENT_HEADERS = ['x-claude-code-agent-id', 'thread-id', 'x-agent-id'] as const;

/** Longest value that keeps requests together. */
const MAX_KEY_CHARACTERS = 256;
/** The recorded text: at most as long as its column, and without characters that have a meaning in reports or logs. */
const RECORDED_ID = /^[\w.:@+=~/-]{1,128}$/;

/** The client's session, as its headers say. */
export interface CallSession {
  /** Keeps requests of the session at one deployment. */
  readonly key: string;
  /** As it is recorded; null where the value is too long or has other characters than ids have. */
  readonly id: string | null;
  /** The agent within the session; null for the main one. */
  readonly agentId: string | null;
}

/** @returns undefined where the client names no session */
export function readCallSession(headers: IncomingHttpHeaders): CallSession | undefined {
  const key = first(headers, SESSION_HEADERS);
  if (key === undefined) return undefined;
  const agent = first(headers, AGENT_HEADERS);
  // Codex names the thread of the main agent as it names the session.
  return { key, id: recorded(key), agentId: agent === undefined || agent === key ? null : recorded(agent) };
}

/** Claude Code's id of its user, as it was and as it is: its session is a part of it. */
const USER_SESSION = /_session_([\w-]{1,128})$/;
const MAX_USER_ID_CHARACTERS = 1_024;

/**
 * The session that Claude Code names in `metadata.user_id`, where no header does: the id has the form
 * `user_<hash>_account_<id>_session_<id>`, or is a JSON object with `session_id`.
 *
 * @returns undefined for any other id
 */
export function readUserIdSession(userId: string | undefined): CallSession | undefined {
  if (userId === undefined || userId.length > MAX_USER_ID_CHARACTERS) return undefined;
  const key = userId.startsWith('{') ? memberOf(userId, 'session_id') : USER_SESSION.exec(userId)?.[1];
  return key === undefined ? undefined : { key, id: recorded(key), agentId: null };
}

function memberOf(json: string, name: string): string | undefined {
  try {
    const value = (JSON.parse(json) as Readonly<Record<string, unknown>>)[name];
    return typeof value === 'string' && value !== '' && value.length <= MAX_KEY_CHARACTERS ? value : undefined;
  } catch {
    return undefined;
  }
}

function first(headers: IncomingHttpHeaders, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '' && value.length <= MAX_KEY_CHARACTERS) return value;
  }
  return undefined;
}

function recorded(value: string): string | null {
  return RECORDED_ID.test(value) ? value : null;
}
