import { secretFault } from './weak-secret.js';

describe('secretFault', () => {
  it.each([['admin-9f2c6e1b7a3d5048c1e2f3a4'], ['correct horse battery staple'], ['gw_ops_Zk81PqLm20XvRt7Yw3Hc']])(
    'may be %s',
    (key) => {
      expect(secretFault(key, 24)).toBeUndefined();
    },
  );

  it.each([
    ['short'],
    ['changeme-changeme-changeme'],
    ['your-admin-key-goes-here-please'],
    ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
    ['admin-admin-admin-admin-admin'],
    ['test-admin-key-1234567890'],
    ['passwordpasswordpassword'],
    ['123456789012345678901234'],
    ['<paste a long random string>'],
  ])('may not be %s', (key) => {
    const fault = secretFault(key, 24);
    expect(fault).toMatch(/Make one with: openssl rand/);
    expect(fault).not.toContain(key);
  });
});
