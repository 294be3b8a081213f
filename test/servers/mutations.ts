/** Random choices that a seed decides. */
export interface Random {
  /** From 0 to below 1. */
  next(): number;
  chance(probability: number): boolean;
  below(count: number): number;
  of<Value>(values: readonly Value[]): Value;
}

/** Mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    of: (values) => values[below(values.length)] as never,
  };
}

/** Stands in the text for what JSON.stringify cannot write; replaced by RAW_NUMBERS. */
const RAW_MARK = '\u0001raw\u0001';
const RAW_NUMBERS = [
  '1e400',
  '-1e400',
  '-0',
  '1e-400',
  '123456789012345678901234567890',
  '9007199254740993',
  'NaN',
  '0x10',
];

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};
const VALUES: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => -1e9,
  () => 0.5,
  () => 1e300,
  () => 2 ** 53,
  () => 2 ** 63,
  () => '',
  () => '12',
  () => '12x',
  () => 'NaN',
  () => 'a\u0000b',
  () => '\ud800',
  () => '__proto__',
  () => 'x'.repeat(20_000),
  () => [],
  () => [null],
  () => [[]],
  () => ({}),
  () => ({ constructor: 1, toString: null, length: -1 }),
  () => JSON.parse('{"__proto__":{"a":1}}') as unknown,
  () => nested(12),
  () => nested(400),
  () => RAW_MARK,
];

type Container = Record<string, unknown> | unknown[];

function containersIn(value: unknown, found: Container[] = []): Container[] {
  if (typeof value !== 'object' || value === null) return found;
  found.push(value as Container);
  for (const each of Object.values(value)) if (found.length < 500) containersIn(each, found);
  return found;
}

/** Replaces, removes, adds or moves a few values anywhere in a JSON value. */
export function mutateValue(value: unknown, random: Random): unknown {
  let root = structuredClone(value);
  for (let changes = 1 + random.below(3); changes > 0; changes -= 1) {
    const containers = containersIn(root);
    if (containers.length === 0 || random.chance(0.03)) {
      root = random.of(VALUES)();
      continue;
    }
    const container = random.of(containers) as Record<string, unknown>;
    const name = random.of([...Object.keys(container), 'extra']);
    const kind = random.next();
    if (kind < 0.6) container[name] = random.of(VALUES)();
    else if (kind < 0.75) {
      if (Array.isArray(container)) container.pop();
      else Reflect.deleteProperty(container, name);
    } else if (kind < 0.85) container[name] = structuredClone(random.of(containers));
    else if (Array.isArray(container)) container.push(structuredClone(container[0]));
    else container[name] = [container[name]];
  }
  return root;
}

/** The text of a mutated JSON value, which may be no JSON. */
export function mutateJson(value: unknown, random: Random): string {
  let text = JSON.stringify(random.chance(0.9) ? mutateValue(value, random) : value);
  text = text.replaceAll(JSON.stringify(RAW_MARK), () => random.of(RAW_NUMBERS));
  const kind = random.next();
  if (kind < 0.05) return text.slice(0, random.below(text.length + 1));
  if (kind < 0.08) return `${text}${text}`;
  if (kind < 0.1) return random.of(['', ' ', '<html>', '\ufeff', '[DONE]', 'null']);
  return text;
}

/** Mutates the data of events of a stream, and their order, number and bytes. */
export function mutateFrames(frames: readonly (string | Buffer)[], random: Random): Buffer[] {
  const mutated: Buffer[] = [];
  for (const frame of frames) {
    const kind = random.next();
    if (kind < 0.05) continue;
    const bytes = mutateFrame(frame, random);
    mutated.push(bytes);
    if (kind < 0.1) mutated.push(bytes);
    else if (kind < 0.13)
      mutated.push(
        Buffer.from(
          random.of(['data: null\n\n', 'data: [DONE]\n\n', 'data:\n\n', ': x\n\n', 'event: error\n\n', '\n']),
        ),
      );
    else if (kind < 0.15) mutated.splice(random.below(mutated.length), 0, bytes);
  }
  if (random.chance(0.1)) mutated.length = random.below(mutated.length + 1);
  return mutated;
}

function mutateFrame(frame: string | Buffer, random: Random): Buffer {
  const isText = typeof frame === 'string';
  if (isText && random.chance(0.35)) {
    const text = frame.replace(
      /^data: (\{.*\})$/gm,
      (_line, json: string) => `data: ${mutateJson(JSON.parse(json), random)}`,
    );
    return Buffer.from(text);
  }
  const bytes = Buffer.from(frame);
  if (random.chance(0.03) && bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}
