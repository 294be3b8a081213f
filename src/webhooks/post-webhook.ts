import { request } from 'undici';
import { VERSION } from '../runtime/version.js';
import { checkedAgent } from './checked-agent.js';
import { publicAddresses, webhookUrlFault } from './webhook-address.js';
import { webhookHeaders } from './webhook-signature.js';

/** For the whole of a delivery: DNS, connection, request and the head of the response. */
const DELIVERY_TIMEOUT_MS = 15_000;

/** A webhook delivery: address, body and headers. */
export interface WebhookDelivery {
  readonly url: string;
  /** `whsec_...`; the delivery is signed with it. Undefined leaves it unsigned. */
  readonly secret: string | undefined;
  /** The same in every attempt, so that the receiver can recognise repeated deliveries. */
  readonly id: string;
  readonly body: string;
}

/**
 * Posts an event, signed where there is a secret, to an address that was checked just now and no other, without following redirects.
 *
 * @returns the status of the response
 * @throws when the address is not allowed or does not respond within 15 s
 */
export async function postWebhook({ url, secret, id, body }: WebhookDelivery, allowPrivate: boolean): Promise<number> {
  const fault = webhookUrlFault(url, allowPrivate);
  if (fault !== undefined) throw new Error(`the webhook's URL ${fault}`);
  const signal = AbortSignal.timeout(DELIVERY_TIMEOUT_MS);
  const addresses = await publicAddresses(new URL(url).hostname, allowPrivate, signal);
  const agent = checkedAgent(addresses, DELIVERY_TIMEOUT_MS);
  try {
    const timestamp = Math.floor(Date.now() / 1_000);
    const response = await request(url, {
      method: 'POST',
      dispatcher: agent,
      headersTimeout: DELIVERY_TIMEOUT_MS,
      bodyTimeout: DELIVERY_TIMEOUT_MS,
      signal,
      headers: {
        'content-type': 'application/json',
        'user-agent': `llm-gateway/${VERSION}`,
        ...(secret !== undefined && webhookHeaders(secret, id, timestamp, body)),
      },
      body,
    });
    response.body.on('error', () => undefined).destroy();
    return response.statusCode;
  } finally {
    void agent.destroy();
  }
}
