/** Requests at a constant rate, each of a kind that a seed decides, independent of the responses. */
import { Agent } from 'node:http';
import { send } from './client.mjs';
import { KINDS } from './kinds.mjs';

/** Most requests in flight; beyond that the machine is too slow for the rate, and requests are left out. */
export const MAX_CONCURRENCY = 150;
const EXAMPLES = 5;

/** mulberry32: numbers from 0 to 1, the same for the same seed. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick(random) {
  let at = random() * KINDS.reduce((sum, { share }) => sum + share, 0);
  return KINDS.find(({ share }) => (at -= share) < 0) ?? KINDS[0];
}

export class Load {
  /** Kind and outcome by request id. */
  requests = new Map();
  /** Outcome to how often, by kind. */
  outcomes = Object.fromEntries(KINDS.map(({ name }) => [name, {}]));
  dishonest = { count: 0, examples: [] };
  leftOut = 0;
  slowest = 0;
  #inFlight = new Set();
  #random;
  #seed;

  /** @param seed decides every kind and every pause */
  constructor(base, key, seed) {
    this.base = base;
    this.key = key;
    this.#seed = seed;
    this.#random = randomFrom(seed);
  }

  get inFlight() {
    return this.#inFlight.size;
  }

  /** @returns when the last request has ended; no connection is left */
  async run(rate, seconds) {
    const agent = new Agent({ keepAlive: true });
    const until = performance.now() + seconds * 1000;
    let next = performance.now();
    while (next < until) {
      const pause = next - performance.now();
      if (pause > 1) await new Promise((resolve) => setTimeout(resolve, pause));
      if (this.#inFlight.size < MAX_CONCURRENCY) this.#begin(agent);
      else this.leftOut += 1;
      next += (-Math.log(1 - this.#random()) * 1000) / rate;
    }
    await Promise.all(this.#inFlight);
    agent.destroy();
  }

  #begin(agent) {
    const kind = pick(this.#random);
    const number = this.requests.size;
    const id = `soak-${number}`;
    const { base, key } = this;
    const entry = { kind, outcome: undefined };
    this.requests.set(id, entry);
    const done = send({ base, key, agent, kind, id, random: randomFrom(this.#seed * 1_000_003 + number) }).then(
      ({ outcome, milliseconds }) => {
        entry.outcome = outcome;
        this.#inFlight.delete(done);
        this.#count(kind, outcome, id);
        this.slowest = Math.max(this.slowest, milliseconds);
      },
    );
    this.#inFlight.add(done);
  }

  #count(kind, outcome, id) {
    const counts = this.outcomes[kind.name];
    counts[outcome] = (counts[outcome] ?? 0) + 1;
    if (kind.honest.includes(outcome)) return;
    this.dishonest.count += 1;
    if (this.dishonest.examples.length < EXAMPLES) this.dishonest.examples.push(`${kind.name} (${id}): ${outcome}`);
  }
}
