/** What a provider does with one request. */
export type Fault =
  | 'none'
  | '429'
  | '429 with retry-after'
  | '500'
  | '503'
  | 'refused by content policy'
  | 'reset before headers'
  | 'silent'
  | 'slow first byte'
  | 'HTML'
  | 'wrong content type'
  | 'empty body'
  | 'error with status 200'
  | 'truncated JSON'
  | 'reset after headers'
  | 'cut at any byte'
  | 'no finish'
  | 'stall'
  | 'one malformed event'
  | 'two malformed events'
  | 'error event'
  | 'no end marker'
  | 'finish twice'
  | 'comments and pings'
  | 'content filter'
  | 'length';

interface Weights {
  readonly both: Partial<Record<Fault, number>>;
  readonly whole: Partial<Record<Fault, number>>;
  readonly streamed: Partial<Record<Fault, number>>;
}

/** How often each occurs, relative to the others. */
const WEIGHTS: Weights = {
  both: {
    '429': 3,
    '429 with retry-after': 2,
    '500': 4,
    '503': 4,
    'refused by content policy': 1,
    'reset before headers': 4,
    silent: 2,
    'slow first byte': 4,
    HTML: 2,
    'wrong content type': 2,
    'empty body': 2,
    'error with status 200': 2,
    'reset after headers': 3,
    'content filter': 2,
    length: 2,
  },
  whole: { 'truncated JSON': 6 },
  streamed: {
    'cut at any byte': 14,
    'no finish': 5,
    stall: 3,
    'one malformed event': 3,
    'two malformed events': 2,
    'error event': 5,
    'no end marker': 3,
    'finish twice': 2,
    'comments and pings': 2,
  },
};

/** Every fault, in the order of a table. */
export const FAULTS = Object.keys({ none: 0, ...WEIGHTS.both, ...WEIGHTS.whole, ...WEIGHTS.streamed }) as Fault[];

/**
 * Chooses a fault by chance.
 *
 * @param share of requests that meet any fault
 */
export function chooseFault(random: () => number, isStream: boolean, share: number): Fault {
  if (random() >= share) return 'none';
  const weights = Object.entries({ ...WEIGHTS.both, ...(isStream ? WEIGHTS.streamed : WEIGHTS.whole) });
  let left = random() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [fault, weight] of weights) {
    left -= weight;
    if (left < 0) return fault as Fault;
  }
  return 'none';
}
