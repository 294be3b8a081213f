import { readFileSync } from 'node:fs';
import { codeLabel, ERROR_CODES, providerCode } from './error-codes.js';

describe('error codes', () => {
  it('are all described in docs/errors.md', () => {
    const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const missing = Object.keys(ERROR_CODES).filter((code) => !page.includes(`\`${code}\``));
    expect(missing).toEqual([]);
  });

  it('are metric labels of their own; those of providers count as other', () => {
    for (const code of Object.keys(ERROR_CODES)) expect(codeLabel({ code })).toBe(code);
    expect(codeLabel({ code: providerCode('quota_of_a_provider') })).toBe('other');
    expect(codeLabel({ code: 'constructor' })).toBe('other');
    expect(codeLabel({ code: null })).toBe('other');
    expect(codeLabel(null)).toBe('');
  });
});
