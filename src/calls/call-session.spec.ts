import fc from 'fast-check';
import { readCallSession, readUserIdSession } from './call-session.js';

describe('the session of a request', () => {
  it.each([
    [
      'Claude Code',
      { 'x-claude-code-session-id': '6e9e8828-b6ce-46c3-8382-7aff627ecbde' },
      '6e9e8828-b6ce-46c3-8382-7aff627ecbde',
      null,
    ],
    [
      'an agent of Claude Code',
      { 'x-claude-code-session-id': 's-1', 'x-claude-code-agent-id': 'a5022d752ab2ad15a' },
      's-1',
      'a5022d752ab2ad15a',
    ],
    ['Codex', { 'session-id': '01a21d63', 'thread-id': '01a21d63' }, '01a21d63', null],
    ['an agent of Codex', { 'session-id': '01a21d63', 'thread-id': '01a21d64' }, '01a21d63', '01a21d64'],
    ['an older Codex, and pi', { session_id: '01a21d74', conversation_id: '01a21d74' }, '01a21d74', null],
    ['opencode', { 'x-session-affinity': 'ses_de29', 'x-session-id': 'ses_de29' }, 'ses_de29', null],
  ])('rule 14: of %s', (_client, headers, id, agentId) => {
    expect(readCallSession(headers)).toEqual({ key: id, id, agentId });
  });

  it.each([
    [{}],
    [{ 'x-claude-code-session-id': '' }],
    [{ 'x-claude-code-session-id': 'x'.repeat(257) }],
    [{ 'x-claude-code-agent-id': 'alone' }],
    [{ 'user-agent': 'session_id' }],
  ])('rule 14: is none in %j', (headers) => {
    expect(readCallSession(headers)).toBeUndefined();
  });

  it('rule 14: keeps requests together by any text, and records ids alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }), (value) => {
        const session = readCallSession({ 'x-session-id': value, 'x-agent-id': `${value} ` });
        expect(session?.key).toBe(value);
        const recorded = session?.id ?? '';
        expect(recorded === '' || (recorded === value && recorded.length <= 128)).toBe(true);
        expect(recorded).toMatch(/^[\w.:@+=~/-]*$/);
        expect(session?.agentId).toBeNull();
      }),
    );
  });
});

describe("the session in Claude Code's id of its user", () => {
  const HASH = 'a1'.repeat(32);
  const SESSION = '6e9e8828-b6ce-46c3-8382-7aff627ecbde';

  it.each([
    ['as older versions have it', `user_${HASH}_account__session_${SESSION}`],
    ['with an account', `user_${HASH}_account_0b0c9d6e-1f6a-4c55-9df2-2f5c6f2f0a11_session_${SESSION}`],
    ['as JSON', JSON.stringify({ device_id: HASH, account_uuid: '', session_id: SESSION })],
  ])('is read %s', (_form, userId) => {
    expect(readUserIdSession(userId)).toEqual({ key: SESSION, id: SESSION, agentId: null });
  });

  it.each([
    [undefined],
    [''],
    ['ada@example.com'],
    ['user_1_session_'],
    ['{'],
    ['{}'],
    ['{"session_id":1}'],
    ['{"session_id":""}'],
    [`{"session_id":"${'x'.repeat(257)}"}`],
    [`_session_${'x'.repeat(2_000)}`],
  ])('is none in %j', (userId) => {
    expect(readUserIdSession(userId)).toBeUndefined();
  });

  it('never takes more than an id from a text of any kind', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.string().map((text) => `x_session_${text}`),
        ),
        (userId) => {
          const session = readUserIdSession(userId);
          if (session === undefined) return;
          expect(userId).toContain(JSON.stringify(session.key).slice(1, -1));
          expect(session.id === null || /^[\w.:@+=~/-]{1,128}$/.test(session.id)).toBe(true);
        },
      ),
    );
  });
});
