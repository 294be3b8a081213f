import { request } from 'undici';
import { objectOf } from '../runtime/json-value.js';
import { VERSION } from '../runtime/version.js';
import { checkedAgent } from './checked-agent.js';
import { publicAddresses, webhookUrlFault } from './webhook-address.js';

/** For DNS, connection and the head of the response; between two pieces of the content; and for all of it. */
const HEAD_TIMEOUT_MS = 15_000;
const IDLE_TIMEOUT_MS = 30_000;
const TOTAL_TIMEOUT_MS = 600_000;

/** The content of an address cannot be read. The message is for the client that named it. */
export class UnreadableUrl extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'UnreadableUrl';
  }
}

/**
 * Reads the content of an address under the rules for webhooks: it is checked just now, and the connection goes to what was checked.
 * Redirects are not followed.
 *
 * @throws UnreadableUrl when the address is not allowed, responds with another status than 200, or stops to respond
 */
export async function* readUrl(url: string, allowPrivate: boolean): AsyncGenerator<Buffer> {
  const fault = webhookUrlFault(url, allowPrivate);
  if (fault !== undefined) throw new UnreadableUrl(fault);
  const signal = AbortSignal.timeout(TOTAL_TIMEOUT_MS);
  const addresses = await addressesOf(url, allowPrivate);
  const agent = checkedAgent(addresses, HEAD_TIMEOUT_MS);
  try {
    const response = await request(url, {
      dispatcher: agent,
      headersTimeout: HEAD_TIMEOUT_MS,
      bodyTimeout: IDLE_TIMEOUT_MS,
      signal,
      headers: { 'user-agent': `llm-gateway/${VERSION}`, 'accept-encoding': 'identity' },
    });
    const { statusCode, body } = response;
    if (statusCode !== 200) {
      body.on('error', () => undefined).destroy();
      const redirect = statusCode >= 300 && statusCode < 400 ? '; redirects are not followed' : '';
      throw new UnreadableUrl(`responds with the status ${statusCode} instead of 200${redirect}`);
    }
    for await (const chunk of body) yield chunk as Buffer;
  } catch (error) {
    if (error instanceof UnreadableUrl) throw error;
    throw new UnreadableUrl(`could not be read${codeOf(error)}`, { cause: error });
  } finally {
    void agent.destroy();
  }
}

async function addressesOf(
  url: string,
  allowPrivate: boolean,
): Promise<readonly { readonly address: string; readonly family: number }[]> {
  try {
    return await publicAddresses(new URL(url).hostname, allowPrivate, AbortSignal.timeout(HEAD_TIMEOUT_MS));
  } catch (error) {
    throw new UnreadableUrl('has a host without an address, or with one that is not public', { cause: error });
  }
}

function codeOf(error: unknown): string {
  const { code } = objectOf(error);
  return typeof code === 'string' ? ` (${code})` : '';
}
