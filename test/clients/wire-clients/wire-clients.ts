import { CHAT_CLIENT, COMPLETIONS_CLIENT } from './chat-client.js';
import { GEMINI_CLIENT } from './gemini-client.js';
import { MESSAGES_CLIENT } from './messages-client.js';
import { RESPONSES_CLIENT } from './responses-client.js';
import type { WireClient } from './wire-client.js';

/** The formats that clients speak. */
export const WIRE_CLIENTS: readonly WireClient[] = [
  CHAT_CLIENT,
  COMPLETIONS_CLIENT,
  MESSAGES_CLIENT,
  RESPONSES_CLIENT,
  GEMINI_CLIENT,
];
