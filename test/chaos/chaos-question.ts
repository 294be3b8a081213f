import { seededRandom } from '../fixtures/disruptions.js';
import type { WireClient } from '../clients/wire-clients/wire-client.js';
import { WIRE_CLIENTS } from '../clients/wire-clients/wire-clients.js';
import { promptOf, type ResponseKind } from '../upstreams/chaos/right-response.js';
import type { JsonBody } from '../upstreams/native-formats/wire-format.js';

const STREAMED_SHARE = 0.75;
const TOOL_SHARE = 0.12;
/** Of chat requests that take text. */
const SEVERAL_SHARE = 0.1;
const LEAVING_SHARE = 0.05;
const LONGEST_STAY_MS = 250;

/** One request of a client. */
export interface ChaosQuestion {
  readonly id: number;
  readonly kind: ResponseKind;
  readonly client: WireClient;
  readonly isStream: boolean;
  readonly choices: number;
  /** After how many milliseconds the client leaves; undefined where it stays. */
  readonly leavesAfterMs: number | undefined;
  readonly path: string;
  readonly body: JsonBody;
}

/** The request with a number: the same for the same seed. */
export function questionOf(id: number, seed: number, model: string): ChaosQuestion {
  const random = seededRandom(seed * 104_729 + id);
  const client = WIRE_CLIENTS[Math.floor(random() * WIRE_CLIENTS.length)]!;
  const isStream = random() < STREAMED_SHARE;
  const kind = client.name !== 'completions' && random() < TOOL_SHARE ? 'tool' : 'text';
  const choices = client.name === 'chat' && kind === 'text' && random() < SEVERAL_SHARE ? 2 : 1;
  const leavesAfterMs = random() < LEAVING_SHARE ? random() * LONGEST_STAY_MS : undefined;
  const prompt = promptOf({ id, kind });
  const { path, body } = client.ask({ model, prompt, isStream, hasTools: kind === 'tool' });
  return {
    id,
    kind,
    client,
    isStream,
    choices,
    leavesAfterMs,
    path,
    body: choices > 1 ? { ...body, n: choices } : body,
  };
}
