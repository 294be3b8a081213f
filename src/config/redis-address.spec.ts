import fc from 'fast-check';
import { readRedisUrl, redisUrlFault } from './redis-address.js';

it.each([
  ['redis://h', { kind: 'single', nodes: [{ host: 'h', port: 6379 }], database: 0, isTls: false }],
  ['rediss://:p%40ss@h:1/2?family=6', { kind: 'single', password: 'p@ss', isTls: true, database: 2 }],
  ['redis://[::1]:7', { nodes: [{ host: '::1', port: 7 }] }],
  [
    'redis-sentinel://user:secret@a,b:26380/mymaster/3?sentinel_password=s%26t',
    {
      kind: 'sentinel',
      nodes: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 26_380 },
      ],
      username: 'user',
      password: 'secret',
      masterName: 'mymaster',
      database: 3,
      sentinelPassword: 's&t',
    },
  ],
  ['rediss-cluster://a:7000,b:7001', { kind: 'cluster', isTls: true, database: 0 }],
])('reads %s', (url, expected) => {
  expect(readRedisUrl(url)).toMatchObject(expected);
});

it.each([
  ['nope', /must look like/],
  ['http://h', /must look like/],
  ['redis://', /must look like/],
  ['redis://a,b', /several hosts\. Write redis-sentinel:/],
  ['redis://a:0', /ports from 1 to 65535/],
  ['redis-cluster://a:99999', /ports from 1 to 65535/],
  ['redis-sentinel://a:1', /must end in the name of the watched server/],
  ['redis-cluster://a:1/2', /takes no database/],
  ['redis-cluster://a:1?x=y', /takes no query/],
  ['redis://h/x', /number of a database/],
  ['redis://:%zz@h', /percent-encoded/],
])('refuses %s', (url, fault) => {
  expect(redisUrlFault(url)).toMatch(fault);
});

it('never quotes a password, and reads back every one that is encoded', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.constantFrom('redis', 'redis-cluster'), (password, scheme) => {
      expect(readRedisUrl(`${scheme}://:${encodeURIComponent(password)}@h:1`)).toMatchObject({ password });
      const fault = redisUrlFault(`${scheme}://:canary4bb1${password}@h:1:2:3`);
      expect(fault ?? '').not.toContain('canary4bb1');
    }),
  );
});
