import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { parseUrl } from '../runtime/parse-url.js';

/** How long one DNS server is asked, and how often, before a name counts as one that cannot be resolved. */
const DNS_TIMEOUT_MS = 3_000;
const DNS_TRIES = 2;

type Range = readonly [cidr: string, name: string];

/** IANA's special-purpose registry of IPv4, multicast, and the one address of a cloud that looks public and is not. */
const NON_PUBLIC_IPV4: readonly Range[] = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'carrier-grade NAT'],
  ['127.0.0.0/8', 'loopback'],
  ['168.63.129.16/32', 'platform of Azure'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'protocol assignments'],
  ['192.0.2.0/24', 'documentation'],
  ['192.31.196.0/24', 'AS112'],
  ['192.52.193.0/24', 'AMT'],
  ['192.88.99.0/24', '6to4 relay'],
  ['192.168.0.0/16', 'private'],
  ['192.175.48.0/24', 'AS112'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
];

/** The only range of IPv6 from which global unicast addresses are given out. */
const GLOBAL_UNICAST_IPV6 = '2000::/3';

/**
 * Ranges within 2000::/3 that are not public. Forms that contain an IPv4 address (6to4, Teredo) are refused for any such address:
 * no receiver is reached by them alone.
 */
const NON_PUBLIC_IPV6: readonly Range[] = [
  ['2001::/23', 'protocol assignments'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', '6to4'],
  ['2620:4f:8000::/48', 'AS112'],
  ['3fff::/20', 'documentation'],
];

/** The interface identifiers of ISATAP (RFC 5214), which carry an IPv4 address in their last 32 bits. */
const ISATAP = new Set(['0:5efe', '200:5efe']);

const IPV4_TABLE = parseRanges(NON_PUBLIC_IPV4);
const IPV6_TABLE = parseRanges(NON_PUBLIC_IPV6);
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR(GLOBAL_UNICAST_IPV6);

/**
 * Why a webhook must not be sent to an address: anything but a public unicast address could be used to reach into the
 * operator's own network. Takes the text forms that DNS and the URL parser give, and nothing else.
 *
 * @returns undefined when the address is public
 */
export function addressFault(address: string): string | undefined {
  const family = isIP(address);
  if (family === 0) return 'is not an IP address';
  if (address.includes('%')) return 'is not a public address (it has a zone)';
  // ipaddr.js reads `::1.2.3.4` as an IPv4-mapped address, which it is not; the URL parser writes it in hexadecimal.
  const canonical = family === 6 ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
  const range = nonPublicRange(ipaddr.process(canonical));
  return range === undefined ? undefined : `is not a public address (${range})`;
}

function nonPublicRange(address: ipaddr.IPv4 | ipaddr.IPv6): string | undefined {
  if (address instanceof ipaddr.IPv4) return IPV4_TABLE.find(({ cidr }) => address.match(cidr))?.name;
  if (!address.match(GLOBAL_UNICAST)) return address.range() === 'unicast' ? 'reserved' : address.range();
  const [, , , , fifth = 0, sixth = 0] = address.parts;
  if (ISATAP.has(`${fifth.toString(16)}:${sixth.toString(16)}`)) return 'ISATAP';
  return IPV6_TABLE.find(({ cidr }) => address.match(cidr))?.name;
}

function parseRanges<Address extends ipaddr.IPv4 | ipaddr.IPv6>(
  ranges: readonly Range[],
): readonly { cidr: [Address, number]; name: string }[] {
  return ranges.map(([cidr, name]) => ({ cidr: ipaddr.parseCIDR(cidr) as [Address, number], name }));
}

/**
 * Why a URL cannot be a webhook's, without a DNS query; undefined when it can. A spelling that another parser could read as
 * another host is refused, regardless of its meaning to this one.
 */
export function webhookUrlFault(text: string, allowPrivate: boolean): string | undefined {
  if (!/^https?:\/\/[^/]/i.test(text)) return 'must begin with https:// or http:// and a host';
  // The URL parser removes tabs and line ends, and takes a backslash for a slash.
  if (/[\s\p{Cc}\\]/u.test(text)) return 'must not contain white space, control characters or backslashes';
  if (text.includes('#')) return 'must not have a fragment (#...), which is never sent';
  const url = parseUrl(text);
  if (url === undefined) return 'is not a URL';
  const { hostname, username, password } = url;
  if (username !== '' || password !== '' || /^[^/]*\/\/[^/?]*@/.test(text)) {
    return 'must not carry a user name or password';
  }
  if (allowPrivate) return undefined;
  // The parser has already turned decimal, octal and hexadecimal forms of an address into the usual one.
  const literal = hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0) return addressFault(literal);
  return hostNameFault(hostname);
}

/** RFC 6761: the name is this machine's, regardless of DNS. */
function hostNameFault(hostname: string): string | undefined {
  return /(?:^|\.)localhost\.*$/i.test(hostname) ? 'is not a public address (localhost)' : undefined;
}

/**
 * The addresses of a host, all of them checked: a name that also resolves to one private address is refused whole. The
 * connection must be made to one of these and never resolve the name again.
 *
 * @throws when the name has no address or one that is not public, or when `signal` is aborted first
 */
export async function publicAddresses(
  hostname: string,
  allowPrivate: boolean,
  signal?: AbortSignal,
): Promise<readonly { address: string; family: number }[]> {
  const literal = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(literal);
  if (allowPrivate) return family === 0 ? lookup(literal, { all: true }) : [{ address: literal, family }];
  const nameFault = hostNameFault(literal);
  if (nameFault !== undefined) throw new Error(`the webhook's address ${nameFault}`);
  const addresses = family === 0 ? await resolveByDns(literal, signal) : [{ address: literal, family }];
  for (const { address } of addresses) {
    const fault = addressFault(address);
    if (fault !== undefined) throw new Error(`the webhook's address ${fault}`);
  }
  return addresses;
}

/**
 * Asks DNS itself. `lookup` would occupy one of the few threads that also resolve the names of providers, for as long as
 * the name server of a receiver takes.
 */
async function resolveByDns(
  name: string,
  signal: AbortSignal | undefined,
): Promise<readonly { address: string; family: number }[]> {
  signal?.throwIfAborted();
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES });
  const onAbort = (): void => resolver.cancel();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const [ipv4, ipv6] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const addresses = [
      ...(ipv4.status === 'fulfilled' ? ipv4.value : []).map((address) => ({ address, family: 4 })),
      ...(ipv6.status === 'fulfilled' ? ipv6.value : []).map((address) => ({ address, family: 6 })),
    ];
    if (addresses.length === 0 && ipv4.status === 'rejected') throw ipv4.reason as Error;
    return addresses;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
