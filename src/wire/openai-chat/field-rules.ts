/** What a server takes of OpenAI's request. A set that is absent sets no rule. */
export interface FieldRules {
  /** All fields of the request that the server knows; it refuses any other. */
  readonly fields?: ReadonlySet<string>;
  /** Fields of the request that the server is known to refuse, where it has no closed list. */
  readonly refusedFields?: ReadonlySet<string>;
  /** The server's own names for OpenAI's fields. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** All fields of a message that the server knows, by role. Roles that are absent have no rule. */
  readonly messageFields?: Readonly<Record<string, ReadonlySet<string>>>;
  /** Fields of messages that the server is known to refuse, where it has no closed list. */
  readonly refusedMessageFields?: ReadonlySet<string>;
  /** All fields of a tool call in a history. */
  readonly toolCallFields?: ReadonlySet<string>;
  /** Whether an assistant message without text and tool calls is refused. */
  readonly refusesEmptyTurns?: boolean;
  /** False where it knows `tools` alone, and not the deprecated `functions`. */
  readonly takesFunctions?: false;
  /** Most stop sequences. */
  readonly maxStops?: number;
}
