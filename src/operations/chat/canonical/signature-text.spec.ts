import fc from 'fast-check';
import { isRedactedSignature, readSignature, writeSignature } from './signature-text.js';
import { WIRE_NAMES } from './wire-name.js';

const wires = fc.constantFrom(...WIRE_NAMES);
const values = fc.oneof(
  fc.base64String({ minLength: 4 }),
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.tuple(wires, fc.base64String()).map(([wire, text]) => `gw1.${wire}.${text}`),
);

describe('signatures as text of a client format', () => {
  it('rule 4: every signature comes back byte-equal, with the format that made it', () => {
    fc.assert(
      fc.property(wires, wires, values, fc.boolean(), (made, client, value, isRedacted) => {
        const text = writeSignature({ wire: made, value }, client, isRedacted);
        expect(readSignature(text, client)).toEqual({ wire: made, value });
        if (made !== client) expect(isRedactedSignature(text, client)).toBe(isRedacted);
      }),
    );
  });

  it('rule 4: a provider signature reaches a client of the same format unchanged', () => {
    expect(writeSignature({ wire: 'anthropic', value: 'EqQBCkYIARgC' }, 'anthropic')).toBe('EqQBCkYIARgC');
    expect(writeSignature({ wire: 'gemini', value: 'CoMBAdHtim9' }, 'anthropic')).toBe('gw1.gemini.CoMBAdHtim9');
    expect(readSignature('gw1.unknown.x', 'anthropic')).toEqual({ wire: 'anthropic', value: 'gw1.unknown.x' });
  });

  it('is bytes in base64 for Gemini clients, in either alphabet', () => {
    const value = 'ErUB+/==';
    const text = writeSignature({ wire: 'anthropic', value }, 'gemini');
    expect(text).toMatch(/^[A-Za-z0-9+/]+=*$/);
    const urlSafe = text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    expect(readSignature(urlSafe, 'gemini')).toEqual({ wire: 'anthropic', value });
  });
});
