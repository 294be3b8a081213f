import { isObject, JsonObject, nonEmptyString } from '../../runtime/json-value.js';

/**
 * Mistral's reasoning models respond with an array of parts where OpenAI's shape has a string. The texts become `content`, and
 * the reasoning becomes `reasoning_content`, as with other vendors.
 */
export function flattenContent(message: JsonObject): void {
  const { content } = message;
  if (!Array.isArray(content)) return;
  const { text, thinking } = collect(content);
  message['content'] = text;
  if (thinking !== '' && nonEmptyString(message['reasoning_content']) === undefined) {
    message['reasoning_content'] = thinking;
  }
}

function collect(parts: readonly unknown[]): { text: string; thinking: string } {
  let text = '';
  let thinking = '';
  for (const part of parts) {
    if (typeof part === 'string') text += part;
    else if (isObject(part)) {
      if (typeof part['text'] === 'string') text += part['text'];
      const thought = part['thinking'];
      if (typeof thought === 'string') thinking += thought;
      else if (Array.isArray(thought)) thinking += collect(thought).text;
    }
  }
  return { text, thinking };
}
