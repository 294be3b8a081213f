type Fields = Readonly<Record<string, unknown>>;

const isText = (longest: number) => (value: unknown) => typeof value === 'string' && value.length <= longest;
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isWhole = (least: number, most: number) => (value: unknown) =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
const isNumber = (least: number, most: number) => (value: unknown) =>
  typeof value === 'number' && value >= least && value <= most;

/** The declared fields whose usual values are recognised with one comparison; undefined stands for an absent field. */
const CHECKS: readonly (readonly [name: string, isGood: (value: unknown) => boolean])[] = [
  ['max_tokens', isWhole(0, Number.MAX_SAFE_INTEGER)],
  ['max_completion_tokens', isWhole(0, Number.MAX_SAFE_INTEGER)],
  ['temperature', isNumber(0, 2)],
  ['top_p', isNumber(0, 1)],
  ['n', isWhole(1, 128)],
  ['stream', isBoolean],
  ['stop', (value) => typeof value === 'string'],
  ['parallel_tool_calls', isBoolean],
  ['user', isText(512)],
  ['reasoning_effort', isText(64)],
  ['prompt_cache_key', isText(1024)],
  ['strict_params', isBoolean],
];
/** Fields that are left to class-validator whenever they are there. */
const OTHERS = ['stream_options', 'metadata', 'tools', 'tool_choice', 'response_format'];

/**
 * Whether class-validator would find nothing in a chat request, found out at a twentieth of its cost. False is not final:
 * the DTO's own rules decide then, and word the fault. The DTO stays the one place where the rules are.
 */
export function isSurelyValid(fields: Fields): boolean {
  const { model } = fields;
  if (typeof model !== 'string' || model === '' || model.length > 256) return false;
  for (const name of OTHERS) if (fields[name] !== undefined && !isUsageOption(name, fields[name])) return false;
  for (const [name, isGood] of CHECKS) {
    const value = fields[name];
    if (value !== undefined && !isGood(value)) return false;
  }
  return true;
}

/** `stream_options: {"include_usage": true}`, which most clients of streams send. */
function isUsageOption(name: string, value: unknown): boolean {
  if (name !== 'stream_options' || typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return typeof (value as Fields)['include_usage'] === 'boolean';
}
