import type { Deployment } from './resolved-model.js';

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
/** 2^32, the number of values of one half of a hash. */
const HALF = 4_294_967_296;
/** Bits of the second half that fit into an exact number beside the first. */
const REST = 1_048_576;

/** 64 bits of a text, in halves. */
export interface TextHash {
  readonly high: number;
  readonly low: number;
}

/**
 * A hash of a text that is the same in every process and on every machine. Not for secrets: who chooses the text can choose the
 * hash.
 */
export function hashText(text: string): TextHash {
  let high = 0x1b873593 ^ text.length;
  let low = 0x2c1b3c6d ^ text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, PRIME_1);
    high ^= high >>> 15;
    low = Math.imul(low ^ unit, PRIME_2);
    low ^= low >>> 13;
  }
  return { high: mixed(high), low: mixed(low) };
}

/**
 * Deployments in the order in which a session tries them, by weighted rendezvous hashing: each deployment has a score of its own for
 * the session, and the highest comes first. So every process finds the same order without asking another, shares follow the weights,
 * and a deployment that leaves or fails loses its own sessions alone, to the others by their weights.
 */
export function orderBySession(
  session: TextHash,
  deployments: readonly Deployment[],
  shareOf: (deployment: Deployment) => number = ({ weight }) => weight,
): readonly Deployment[] {
  const seen = new Map<string, number>();
  const scored = deployments.map((deployment) => {
    const { id } = deployment;
    // The same place may be listed twice, and each entry has its share.
    const times = seen.get(id) ?? 0;
    seen.set(id, times + 1);
    return {
      deployment,
      score: shareOf(deployment) / -Math.log(drawOf(session, hashText(times === 0 ? id : `${id} ${times}`))),
    };
  });
  return scored.sort((first, second) => second.score - first.score).map(({ deployment }) => deployment);
}

/** A number between 0 and 1, neither of them included, that depends on both hashes in every bit. */
function drawOf(session: TextHash, deployment: TextHash): number {
  const high = mixed(session.high ^ Math.imul(deployment.high, PRIME_2) ^ deployment.low);
  const low = mixed(session.low ^ Math.imul(deployment.low, PRIME_1) ^ high);
  return (high * REST + (low >>> 12) + 0.5) / (HALF * REST);
}

/** The last step of MurmurHash3, by which each bit reaches all others. */
function mixed(value: number): number {
  let bits = value;
  bits ^= bits >>> 16;
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  bits ^= bits >>> 16;
  return bits >>> 0;
}
