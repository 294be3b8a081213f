import fc from 'fast-check';
import { addressFault, publicAddresses, webhookUrlFault } from './webhook-address.js';

const NON_PUBLIC_IPV4: readonly [number, number, number, number, bits: number][] = [
  [0, 0, 0, 0, 8],
  [10, 0, 0, 0, 8],
  [100, 64, 0, 0, 10],
  [127, 0, 0, 0, 8],
  [168, 63, 129, 16, 32],
  [169, 254, 0, 0, 16],
  [172, 16, 0, 0, 12],
  [192, 0, 0, 0, 24],
  [192, 0, 2, 0, 24],
  [192, 88, 99, 0, 24],
  [192, 168, 0, 0, 16],
  [198, 18, 0, 0, 15],
  [198, 51, 100, 0, 24],
  [203, 0, 113, 0, 24],
  [224, 0, 0, 0, 4],
  [240, 0, 0, 0, 4],
];
const NON_PUBLIC_IPV6: readonly [groups: readonly number[], bits: number][] = [
  [[], 3],
  [[0x2001], 23],
  [[0x2001, 0xdb8], 32],
  [[0x2002], 16],
  [[0x3fff], 20],
  [[0x4000], 2],
  [[0x8000], 1],
];

/** An IPv4 address within one of the ranges above, as a number. */
const nonPublicIpv4 = fc
  .tuple(fc.constantFrom(...NON_PUBLIC_IPV4), fc.nat(0xffff_ffff))
  .map(([[a, b, c, d, bits], random]) => {
    const base = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    const host = bits === 32 ? 0 : 0xffff_ffff >>> bits;
    return (base | (random & host)) >>> 0;
  });
const anyIpv4 = fc.nat(0xffff_ffff);
const nonPublicIpv6 = fc
  .tuple(fc.constantFrom(...NON_PUBLIC_IPV6), fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }))
  .map(([[groups, bits], random]) =>
    random.map((value, index) => {
      const host = 0xffff >>> Math.min(16, Math.max(0, bits - index * 16));
      return (groups[index] ?? 0) | (value & host);
    }),
  )
  // An IPv4-mapped address is as public as what it maps.
  .filter((groups) => !(groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff));

const octets = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
const dotted = (value: number): string => octets(value).join('.');
const groupsOf = (value: number): string => `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;
const fullWidth = (text: string): string =>
  [...text].map((c) => (c === '.' ? '。' : String.fromCodePoint((c.codePointAt(0) ?? 0) + 0xfee0))).join('');

/** Ways to write an IPv4 address as the host of a URL that the parser reads as that address. */
const HOSTS: readonly ((value: number) => string)[] = [
  dotted,
  (value) => `${dotted(value)}.`,
  (value) => String(value),
  (value) => `0x${value.toString(16)}`,
  (value) => `0${value.toString(8)}`,
  (value) =>
    octets(value)
      .map((octet) => `0x${octet.toString(16)}`)
      .join('.'),
  (value) =>
    octets(value)
      .map((octet) => `0${octet.toString(8)}`)
      .join('.'),
  (value) => `${value >>> 24}.${value & 0xff_ffff}`,
  (value) => `${value >>> 24}.${(value >>> 16) & 255}.${value & 0xffff}`,
  (value) => fullWidth(dotted(value)),
  (value) => dotted(value).replace('.', '%2E'),
  (value) => `[::ffff:${dotted(value)}]`,
  (value) => `[::ffff:${groupsOf(value)}]`,
  (value) => `[0:0:0:0:0:ffff:${groupsOf(value)}]`,
];
/** Ways to carry any IPv4 address in one of IPv6, none of which is a public address of its own. */
const CARRIERS: readonly ((value: number) => string)[] = [
  (value) => `::${dotted(value)}`,
  (value) => `::${groupsOf(value)}`,
  (value) => `::ffff:0:${groupsOf(value)}`,
  (value) => `64:ff9b::${dotted(value)}`,
  (value) => `64:ff9b:1::${groupsOf(value)}`,
  (value) => `64:ff9b:1:7:0:0:${groupsOf(value)}`,
  (value) => `2002:${groupsOf(value)}::1`,
  (value) => `2001:0:${groupsOf(value)}::1`,
  (value) => `2001::${groupsOf(~value >>> 0)}`,
  (value) => `2606:4700::5efe:${groupsOf(value)}`,
  (value) => `2606:4700::200:5efe:${groupsOf(value)}`,
];

describe('the address of a webhook', () => {
  it('in a range of IPv4 that is not public is refused in every spelling', () => {
    fc.assert(
      fc.property(nonPublicIpv4, fc.constantFrom(...HOSTS), (value, spell) => {
        expect(addressFault(dotted(value))).toMatch(/not a public address/);
        expect(webhookUrlFault(`https://${spell(value)}:8443/hook?a=1`, false)).toMatch(/not a public address/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of IPv6 that carries an address of IPv4 is refused, also with a public one', () => {
    fc.assert(
      fc.property(anyIpv4, fc.constantFrom(...CARRIERS), (value, spell) => {
        expect(addressFault(spell(value))).toMatch(/not a public address/);
        expect(webhookUrlFault(`http://[${spell(value)}]/`, false)).toMatch(/not a public address/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('in a range of IPv6 that is not public is refused, short or in full', () => {
    fc.assert(
      fc.property(nonPublicIpv6, (groups) => {
        const full = groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
        expect(addressFault(full)).toMatch(/not a public address/);
        expect(addressFault(full.toUpperCase())).toMatch(/not a public address/);
        expect(addressFault(new URL(`http://[${full}]/`).hostname.slice(1, -1))).toMatch(/not a public address/);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['93.184.216.34', undefined],
    ['::ffff:93.184.216.34', undefined],
    ['2606:2800:220:1:248:1893:25c8:1946', undefined],
    ['2a00:1450:4001:81b::200e', undefined],
    ['fe80::1%eth0', 'is not a public address (it has a zone)'],
    ['2606:2800:220:1:248:1893:25c8:1946%1', 'is not a public address (it has a zone)'],
    ['0x7f.1', 'is not an IP address'],
    ['2130706433', 'is not an IP address'],
    ['', 'is not an IP address'],
  ])('%p: %p', (address, fault) => {
    expect(addressFault(address)).toBe(fault);
  });

  it.each([
    'http://localhost/',
    'http://a.localhost../',
    'http://ⓛocalhost/',
    'ftp://example.com/',
    'http:example.com',
    'http:/example.com/',
    'http:///example.com/',
    'http:\\\\example.com\\',
    'http://example.com\\@10.0.0.1/',
    'https://user:secret@example.com/',
    'https://@example.com/',
    'https://:@example.com/',
    'http://example.com#@127.0.0.1/',
    'http://example.com/hook#part',
    'http://exa\tmple.com/',
    'http://example.com/\r\nx: y',
    ' http://example.com/',
    'http://[::1%25lo]/',
    'http://[fe80::1%eth0]/',
    'http://256.256.256.256/',
    'no url',
  ])('%p is refused before DNS is asked', (url) => {
    expect(webhookUrlFault(url, false)).toBeDefined();
  });

  it.each([
    'https://example.com',
    'https://example.com:8443/a?b=c',
    'https://hooks.example/@team?x=@y',
    'HTTP://münchen.example/',
  ])('%p is taken', (url) => {
    expect(webhookUrlFault(url, false)).toBeUndefined();
  });

  it('of this machine is taken where the operator allows it', async () => {
    expect(webhookUrlFault('http://127.0.0.1:8080/hook', true)).toBeUndefined();
    await expect(publicAddresses('127.0.0.1', true)).resolves.toHaveLength(1);
    await expect(publicAddresses('localhost', false)).rejects.toThrow(/not a public address/);
  });
});
