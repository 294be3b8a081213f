import { isCommandFault, isServerFault, isTooSlow } from './redis-faults.js';

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

it.each([
  'WRONGTYPE Operation against a key holding the wrong kind of value script: f_1, on @user_script:3.',
  'ERR value is not an integer or out of range script: f_1, on @user_script:9.',
  'ERR user_script:4: attempt to compare nil with number script: f_1',
  'NOSCRIPT No matching script. Please use EVAL.',
])('"%s" is the fault of one command', (message) => {
  expect([isCommandFault(reply(message)), isServerFault(reply(message))]).toEqual([true, false]);
});

it.each([
  "OOM command not allowed when used memory > 'maxmemory'.",
  "ERR Error running script: @user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.",
  "READONLY You can't write against a read only replica.",
  'LOADING Redis is loading the dataset in memory',
  'BUSY Redis is busy running a script.',
  'MISCONF Redis is configured to save RDB snapshots',
  'NOAUTH Authentication required.',
])('"%s" holds for everyone', (message) => {
  expect([isCommandFault(reply(message)), isServerFault(reply(message))]).toEqual([false, true]);
});

it.each([new Error('Command timed out'), new Error('Connection is closed.'), 'text', undefined])(
  '%p is neither',
  (error) => {
    expect([isCommandFault(error), isServerFault(error)]).toEqual([false, false]);
  },
);

it('distinguishes a connection that gives no response in time from a refused one', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), { code: 'ECONNREFUSED' });
  const faults = [new Error('Command timed out'), new Error('Connection is closed.'), refused, reply('NOAUTH'), 'text'];
  expect(faults.map(isTooSlow)).toEqual([true, true, false, false, false]);
});
