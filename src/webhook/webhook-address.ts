import { lookup as resolve } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Why a webhook must not be sent to an address: anything but a public unicast address could be used to reach into the
 * operator's own network.
 *
 * @returns undefined when the address is public
 */
export function addressFault(address: string): string | undefined {
  if (!ipaddr.isValid(address)) return 'is not an IP address';
  const range = ipaddr.process(address).range();
  return range === 'unicast' ? undefined : `is not a public address (${range})`;
}

/** Why a URL cannot be a webhook's, as far as that can be said without asking DNS; undefined when it can. */
export function webhookUrlFault(text: string, allowPrivate: boolean): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL';
  const { protocol, hostname, username, password } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') return 'must begin with https:// or http://';
  if (username !== '' || password !== '') return 'must not carry a user name or password';
  if (allowPrivate) return undefined;
  // The parser has already turned decimal, octal and hexadecimal forms of an address into the usual one.
  const literal = hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0) return addressFault(literal);
  return /(?:^|\.)localhost\.?$/i.test(hostname) ? 'is not a public address (localhost)' : undefined;
}

/**
 * The addresses of a host, all of them checked: a name that also resolves to one private address is refused whole. The
 * connection must be made to one of these and never resolve the name again.
 */
export async function publicAddresses(
  hostname: string,
  allowPrivate: boolean,
): Promise<readonly { address: string; family: number }[]> {
  const literal = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(literal);
  const addresses = family === 0 ? await resolve(literal, { all: true }) : [{ address: literal, family }];
  if (!allowPrivate) {
    for (const { address } of addresses) {
      const fault = addressFault(address);
      if (fault !== undefined) throw new Error(`the webhook's address ${fault}`);
    }
  }
  return addresses;
}
