import { GatewayError } from '../errors/gateway-error.js';
import { fileFieldsOf } from './file-fields.js';

const read = (fields: Record<string, string>) =>
  fileFieldsOf(new Map(Object.entries(fields)), ['file', ...Object.keys(fields)]);

describe('the fields of an upload', () => {
  it('say the purpose and the time to expire', () => {
    expect(read({ purpose: 'batch' })).toEqual({ purpose: 'batch', expiresInMs: undefined });
    const fields = { purpose: 'user_data', 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '3600' };
    expect(read(fields)).toEqual({ purpose: 'user_data', expiresInMs: 3_600_000 });
  });

  it.each<[fields: Record<string, string>, param: string]>([
    [{}, 'purpose'],
    [{ purpose: '' }, 'purpose'],
    [{ purpose: 'batch', Purpose: 'batch' }, 'Purpose'],
    [{ purpose: 'batch', expires_after: '3600' }, 'expires_after'],
    [{ purpose: 'batch_output' }, 'purpose'],
    [{ purpose: 'constructor' }, 'purpose'],
    [{ purpose: 'batch', 'expires_after[seconds]': '3600' }, 'expires_after[anchor]'],
    [{ purpose: 'batch', 'expires_after[anchor]': 'now', 'expires_after[seconds]': '3600' }, 'expires_after[anchor]'],
    ...['', '3599', '2592001', '-1', '1e4', '3600.5', 'x', '99999999999'].map(
      (seconds): [Record<string, string>, string] => [
        { purpose: 'batch', 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': seconds },
        'expires_after[seconds]',
      ],
    ),
    [{ purpose: 'batch', 'expires_after[anchor]': 'created_at' }, 'expires_after[seconds]'],
  ])('%j are refused at %s', (fields, param) => {
    let fault: unknown;
    try {
      read(fields);
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(GatewayError);
    expect(fault).toMatchObject({ status: 400, param });
  });
});
