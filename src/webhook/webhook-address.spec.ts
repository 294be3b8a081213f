import { addressFault, publicAddresses, webhookUrlFault } from './webhook-address.js';

describe('the address of a webhook', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ])('%s is refused', (address) => {
    expect(addressFault(address)).toMatch(/not a public address/);
  });

  it.each(['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'])('%s is taken', (address) => {
    expect(addressFault(address)).toBeUndefined();
  });

  it.each([
    'http://2130706433/',
    'http://0x7f.1/',
    'http://017700000001/',
    'http://[::ffff:7f00:1]/',
    'http://localhost/',
    'http://a.localhost./',
    'ftp://example.com/',
    'https://user:secret@example.com/',
    'no url',
  ])('%s is refused before DNS is asked', (url) => {
    expect(webhookUrlFault(url, false)).toBeDefined();
  });

  it('of this machine is taken where the operator allows it', async () => {
    expect(webhookUrlFault('http://127.0.0.1:8080/hook', true)).toBeUndefined();
    await expect(publicAddresses('127.0.0.1', true)).resolves.toHaveLength(1);
    await expect(publicAddresses('localhost', false)).rejects.toThrow(/not a public address/);
  });
});
