/** Members of events, in any format, whose strings are a part of the response. */
const CONTENT =
  /"(?:content|text|reasoning|reasoning_content|thinking|refusal|delta|partial_json|arguments|input|transcript|signature|data)"\s*:\s*"[^"]/;
/** Parts of a call of a tool, without which its arguments cannot be read. */
const TOOL_CALL = /"(?:tool_calls|tool_use|function_call|functionCall|input_json_delta|toolUse)"/;

/** Whether an event that is no JSON may have held a part of the response, which would be missing without it. */
export function mayHoldContent(data: string): boolean {
  return CONTENT.test(data) || TOOL_CALL.test(data);
}

/** Whether the text of an event is no JSON. */
export function isMalformed(data: string): boolean {
  try {
    JSON.parse(data);
    return false;
  } catch {
    return true;
  }
}
